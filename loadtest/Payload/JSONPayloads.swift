/// The dialects that are JSON objects.
extension PayloadEncoder {
    func appendJSON(_ readings: MessageReadings, to bytes: inout [UInt8]) {
        appendList(readings, to: &bytes) { index, bytes in
            generator.appendPayload(
                device: readings.device, sequence: readings.sequence + index, time: readings.time(of: index), to: &bytes)
        }
    }

    /// Source: thingsboard.io/docs/reference/mqtt-api, "Telemetry upload API".
    func appendThingsBoard(_ readings: MessageReadings, to bytes: inout [UInt8]) {
        appendList(readings, to: &bytes) { index, bytes in appendTimedValues(readings, index, to: &bytes) }
    }

    /// Source: thingsboard.io/docs/reference/gateway-mqtt-api, "Telemetry upload API".
    func appendThingsBoardGateway(_ readings: MessageReadings, to bytes: inout [UInt8]) {
        bytes.append(text: #"{""#)
        naming.append(device: readings.device, to: &bytes)
        bytes.append(text: #"":["#)
        for index in 0..<readings.count {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            appendTimedValues(readings, index, to: &bytes)
        }
        bytes.append(text: "]}")
    }

    /// One object alone, several as a list.
    private func appendList(_ readings: MessageReadings, to bytes: inout [UInt8], _ append: (Int, inout [UInt8]) -> Void) {
        if readings.count == 1 { return append(0, &bytes) }
        for index in 0..<readings.count {
            bytes.append(UInt8(ascii: index == 0 ? "[" : ","))
            append(index, &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private func appendTimedValues(_ readings: MessageReadings, _ index: Int, to bytes: inout [UInt8]) {
        bytes.append(text: #"{"ts":"#)
        bytes.append(decimal: readings.time(of: index) / 1_000)
        bytes.append(text: #","values":{"#)
        generator.appendMembers(device: readings.device, sequence: readings.sequence + index, to: &bytes)
        bytes.append(text: "}}")
    }

    /// The base name is the device, a slash and the fields' names follow. The first record of each reading sets the base time, in seconds.
    /// Source: RFC 8428, sections 4 and 5.
    func appendSenML(_ readings: MessageReadings, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        for index in 0..<readings.count {
            let values = values(readings, index)
            let time = readings.time(of: index)
            if index == 0 {
                bytes.append(text: #"{"bn":""#)
                naming.append(device: readings.device, to: &bytes)
                bytes.append(text: #"/","bt":"#)
            } else {
                bytes.append(text: #",{"bt":"#)
            }
            bytes.append(decimal: time / 1_000_000)
            bytes.append(UInt8(ascii: "."))
            bytes.append(decimal: time / 1_000 % 1_000, width: 3)
            bytes.append(text: #","n":"seq","v":"#)
            bytes.append(decimal: Int64(readings.sequence + index))
            bytes.append(text: #"},{"n":"temperature","u":"Cel","v":"#)
            bytes.append(hundredths: values.temperatureHundredths)
            bytes.append(text: #"},{"n":"humidity","u":"%RH","v":"#)
            bytes.append(hundredths: values.humidityHundredths)
            bytes.append(text: #"},{"n":"battery","u":"%EL","v":"#)
            bytes.append(decimal: values.battery)
            bytes.append(text: #"},{"n":"rssi","u":"dBm","v":"#)
            bytes.append(decimal: values.rssi)
            bytes.append(text: #"},{"n":"status","vs":""#)
            bytes.append(text: values.status)
            bytes.append(text: #""}"#)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Source: tasmota.github.io/docs/MQTT and /AM2301; local time without a zone, here UTC.
    func appendTasmota(_ readings: MessageReadings, to bytes: inout [UInt8]) {
        let values = values(readings, 0)
        bytes.append(text: #"{"Time":""#)
        bytes.append(dateTime: readings.time, milliseconds: false)
        bytes.append(text: #"","AM2301":{"Temperature":"#)
        bytes.append(tenths: values.temperatureHundredths / 10)
        bytes.append(text: #","Humidity":"#)
        bytes.append(tenths: values.humidityHundredths / 10)
        bytes.append(text: #","DewPoint":"#)
        // A degree less for every five percent below saturation: good enough for a believable number.
        bytes.append(tenths: (values.temperatureHundredths - (10_000 - values.humidityHundredths) / 5) / 10)
        bytes.append(text: #"},"TempUnit":"C"}"#)
    }

    /// Source: zigbee2mqtt.io/devices/WSDCGQ11LM.html, with `last_seen: ISO_8601`.
    func appendZigbee2MQTT(_ readings: MessageReadings, to bytes: inout [UInt8]) {
        let values = values(readings, 0)
        bytes.append(text: #"{"battery":"#)
        bytes.append(decimal: values.battery)
        bytes.append(text: #","humidity":"#)
        bytes.append(hundredths: values.humidityHundredths)
        bytes.append(text: #","last_seen":""#)
        bytes.append(dateTime: readings.time, milliseconds: true)
        bytes.append(text: #"","linkquality":"#)
        bytes.append(decimal: 200 + values.rssi)
        bytes.append(text: #","temperature":"#)
        bytes.append(hundredths: values.temperatureHundredths)
        bytes.append(text: #","voltage":"#)
        bytes.append(decimal: 2_700 + values.battery * 4)
        bytes.append(UInt8(ascii: "}"))
    }

    /// Source: shelly-api-docs.shelly.cloud/gen2/Devices/Gen2/ShellyPlusHT, "NotifyFullStatus"; `ts` is seconds with two decimals.
    func appendShelly(_ readings: MessageReadings, to bytes: inout [UInt8]) {
        let values = values(readings, 0)
        bytes.append(text: #"{"src":""#)
        naming.append(device: readings.device, to: &bytes)
        bytes.append(text: #"","dst":""#)
        naming.append(device: readings.device, to: &bytes)
        bytes.append(text: #"/events","method":"NotifyFullStatus","params":{"ts":"#)
        bytes.append(hundredths: readings.time / 10_000)
        bytes.append(text: #","devicepower:0":{"id":0,"battery":{"V":"#)
        bytes.append(hundredths: 420 + values.battery * 2)
        bytes.append(text: #","percent":"#)
        bytes.append(decimal: values.battery)
        bytes.append(text: #"},"external":{"present":false}},"humidity:0":{"id":0,"rh":"#)
        bytes.append(tenths: values.humidityHundredths / 10)
        bytes.append(text: #"},"temperature:0":{"id":0,"tC":"#)
        bytes.append(tenths: values.temperatureHundredths / 10)
        bytes.append(text: #","tF":"#)
        bytes.append(tenths: values.temperatureHundredths * 9 / 50 + 320)
        bytes.append(text: "}}}")
    }
}
