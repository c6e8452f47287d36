/// The dialects that are lines of text.
extension PayloadEncoder {
    /// The measurement of the lines; a gateway may put it before the fields' names.
    static let measurement: StaticString = "environment"

    /// - Parameter tag: what names the device; Telegraf says `host`.
    /// Source: docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference; a newline after each line but the last.
    func appendLines(_ readings: MessageReadings, tag: StaticString, to bytes: inout [UInt8]) {
        for index in 0..<readings.count {
            if index > 0 { bytes.append(UInt8(ascii: "\n")) }
            let values = values(readings, index)
            bytes.append(text: Self.measurement)
            bytes.append(UInt8(ascii: ","))
            bytes.append(text: tag)
            bytes.append(UInt8(ascii: "="))
            naming.append(device: readings.device, to: &bytes)
            bytes.append(text: " seq=")
            bytes.append(decimal: Int64(readings.sequence + index))
            bytes.append(text: "i,temperature=")
            bytes.append(hundredths: values.temperatureHundredths)
            bytes.append(text: ",humidity=")
            bytes.append(hundredths: values.humidityHundredths)
            bytes.append(text: ",battery=")
            bytes.append(decimal: values.battery)
            bytes.append(text: "i,rssi=")
            bytes.append(decimal: values.rssi)
            bytes.append(text: "i,status=\"")
            bytes.append(text: values.status)
            bytes.append(text: "\" ")
            bytes.append(decimal: readings.time(of: index))
            bytes.append(text: "000")
        }
    }

    /// Source: RFC 4180, with a heading line.
    func appendCSV(_ readings: MessageReadings, to bytes: inout [UInt8]) {
        bytes.append(text: "time,seq,temperature,humidity,battery,rssi,status\n")
        for index in 0..<readings.count {
            let values = values(readings, index)
            bytes.append(decimal: readings.time(of: index) / 1_000)
            bytes.append(UInt8(ascii: ","))
            bytes.append(decimal: Int64(readings.sequence + index))
            bytes.append(UInt8(ascii: ","))
            bytes.append(hundredths: values.temperatureHundredths)
            bytes.append(UInt8(ascii: ","))
            bytes.append(hundredths: values.humidityHundredths)
            bytes.append(UInt8(ascii: ","))
            bytes.append(decimal: values.battery)
            bytes.append(UInt8(ascii: ","))
            bytes.append(decimal: values.rssi)
            bytes.append(UInt8(ascii: ","))
            bytes.append(text: values.status)
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    /// Gaugehouse's own objects, as over HTTP; times in µs.
    func appendNative(_ readings: MessageReadings, separator: UInt8, to bytes: inout [UInt8]) {
        for index in 0..<readings.count {
            if index > 0 { bytes.append(separator) }
            bytes.append(text: #"{"device":""#)
            naming.append(device: readings.device, to: &bytes)
            bytes.append(text: #"","time":"#)
            bytes.append(decimal: readings.time(of: index))
            bytes.append(text: #","fields":{"#)
            generator.appendMembers(device: readings.device, sequence: readings.sequence + index, to: &bytes)
            bytes.append(text: "}}")
        }
    }
}
