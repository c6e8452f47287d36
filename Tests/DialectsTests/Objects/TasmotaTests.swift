import Dialects
import Telemetry
import Testing

@Suite struct TasmotaTests {
    private func tasmota(_ topic: String, _ payload: String, zone: Int? = nil, device: String? = "plug") -> DecodedMessage {
        message(.tasmota, payload, topic: topic, device: device) { $0.zoneOffset = zone }
    }

    /// Source: https://tasmota.github.io/docs/MQTT/
    @Test func sensorsAreFlattenedAndLocalTimesNeedAZone() {
        let payload = #"{"Time":"2018-03-02T18:25:03","AM2301":{"Temperature":22.6,"Humidity":32.4},"TempUnit":"C"}"#
        let fields: [String: FieldValue] = [
            "AM2301.Temperature": .double(22.6), "AM2301.Humidity": .double(32.4), "TempUnit": .string("C"),
        ]
        let zoned = tasmota("tele/TH16/SENSOR", payload, zone: 3600)
        #expect(zoned.readings == [Reading(device: "plug", time: time("2018-03-02T17:25:03Z"), fields: fields)])
        #expect(tasmota("tele/TH16/SENSOR", payload).readings == [Reading(device: "plug", time: nil, fields: fields)])
        #expect(tasmota("tele/TH16/SENSOR", payload, device: nil).readings.map(\.device) == ["TH16"])
        #expect(tasmota("TH16/tele/SENSOR", payload, device: nil).readings.map(\.device) == ["TH16"])
    }

    /// SetOption52 adds the zone. A clock that was never set shows 1970.
    @Test func timesWithAZoneAreReadAndThoseOfAClockThatWasNotSetAreNot() {
        let zoned = tasmota("tele/a/SENSOR", #"{"Time":"2021-06-13T06:59:52+02:00","Switch1":"ON"}"#)
        #expect(zoned.readings == [Reading(device: "plug", time: time("2021-06-13T04:59:52Z"), fields: ["Switch1": .string("ON")])])
        let unset = tasmota("tele/a/SENSOR", #"{"Time":"1970-01-01T00:00:12","Switch1":"ON"}"#, zone: 0)
        #expect(unset.readings == [Reading(device: "plug", time: nil, fields: ["Switch1": .string("ON")])])
        #expect(tasmota("tele/a/SENSOR", #"{"Time":"soon","Switch1":"ON"}"#).rejection?.reason == .badTime)
        #expect(tasmota("tele/a/SENSOR", #"{"Time":"soon","Switch1":"ON"}"#, zone: 0).rejection?.reason == .badTime)
    }

    /// Source: https://pastebin.com/4izDrY6W, a log of Tasmota 13.
    @Test func stateIsAReading() {
        let payload = """
            {"Time":"2024-02-24T22:20:38","Uptime":"0T00:10:11","UptimeSec":611,"Heap":24,"SleepMode":"Dynamic","Sleep":50,"LoadAvg":19,\
            "MqttCount":1,"POWER":"OFF","Wifi":{"AP":1,"SSId":"ESP-Network","BSSId":"E6:8D:8C:4B:BE:F7","Channel":3,"Mode":"11n","RSSI":44,\
            "Signal":-78,"LinkCount":1,"Downtime":"0T00:00:05"}}
            """
        let decoded = tasmota("tele/tasmota_9CF9D1/STATE", payload, zone: 3600)
        #expect(decoded.readings.first?.time == time("2024-02-24T21:20:38Z"))
        #expect(decoded.readings.first?.fields.count == 17)
        #expect(decoded.readings.first?.fields["Wifi.Signal"] == .integer(-78))
        #expect(decoded.readings.first?.fields["POWER"] == .string("OFF"))
    }

    @Test(arguments: [("Online", "online"), ("Offline", "offline"), ("online\0", "online")])
    func birthAndLastWillAreTheDevicesState(_ payload: String, _ state: String) {
        let decoded = tasmota("tele/tasmota_9CF9D1/LWT", payload, device: nil)
        #expect(decoded.readings == [Reading(device: "tasmota_9CF9D1", time: nil, fields: ["$state": .string(state)])])
    }

    @Test func theStateIsStoredWhateverIsIncluded() {
        let decoded = message(.tasmota, "Online", topic: "tele/a/LWT", device: "a") { $0.include = ["ENERGY.*"] }
        #expect(decoded.readings == [Reading(device: "a", time: nil, fields: ["$state": .string("online")])])
        #expect(tasmota("tele/a/LWT", "Asleep").rejection?.reason == .undecodable)
    }

    /// Source: https://gist.github.com/tablatronix/1ff3262f8ab9f73af814fbd6a77fad98
    @Test func answersToQueriesOfSensorsAreReadings() {
        let payload = """
            {"StatusSNS":{"Time":"2021-06-13T06:59:49","ANALOG":{"CTEnergy":{"Energy":0.004,"Power":2088,"Voltage":230,"Current":9.078}},\
            "DHT11":{"Temperature":23.0,"Humidity":37.0,"DewPoint":7.5},"TempUnit":"C"}}
            """
        let decoded = tasmota("stat/tasmota_C59B5E/STATUS10", payload, zone: -18_000)
        let fields: [String: FieldValue] = [
            "ANALOG.CTEnergy.Energy": .double(0.004), "ANALOG.CTEnergy.Power": .integer(2088), "ANALOG.CTEnergy.Voltage": .integer(230),
            "ANALOG.CTEnergy.Current": .double(9.078), "DHT11.Temperature": .double(23), "DHT11.Humidity": .double(37),
            "DHT11.DewPoint": .double(7.5), "TempUnit": .string("C"),
        ]
        #expect(decoded.readings == [Reading(device: "plug", time: time("2021-06-13T11:59:49Z"), fields: fields)])
    }

    @Test func resultsAndPowerAreReadings() {
        let power: [String: FieldValue] = ["POWER": .string("ON")]
        #expect(tasmota("stat/r710_1/RESULT", #"{"POWER":"ON"}"#).readings == [Reading(device: "plug", time: nil, fields: power)])
        #expect(tasmota("stat/r710_1/POWER", "ON").readings == [Reading(device: "plug", time: nil, fields: power)])
        #expect(tasmota("stat/r710_1/POWER", " ").rejection?.reason == .undecodable)
    }

    @Test(arguments: [
        ("cmnd/plug/POWER", "toggle"), ("plug/cmnd/POWER", "1"), ("tele/plug/INFO1", #"{"Info1":{"Module":"Sonoff Basic"}}"#),
        ("stat/plug/STATUS", #"{"Status":{"Module":1}}"#), ("stat/plug/STATUS5", #"{"StatusNET":{"Mac":"2C"}}"#),
        ("tasmota/discovery/DC4F22/config", #"{"ip":"10.0.0.1"}"#),
    ])
    func whatIsNoTelemetryIsIgnored(_ topic: String, _ payload: String) {
        #expect(tasmota(topic, payload).isIgnored)
    }
}
