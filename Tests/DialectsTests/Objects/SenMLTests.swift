import Dialects
import Telemetry
import Testing

/// The examples of RFC 8428, section 5.1, and what each rule of section 4 makes of its edges.
@Suite struct SenMLTests {
    @Test func aSingleDatapointIsCalledByItsUnit() {
        let decoded = message(.senml, #"[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]"#)
        #expect(decoded.readings == [Reading(device: "urn:dev:ow:10e2073a01080063", time: nil, fields: ["Cel": .double(23.1)])])
        #expect(decoded.outcome == .readings(areTimedByReceipt: false))
    }

    @Test func multipleDatapointsOfOneTimeAreOneReading() {
        let decoded = message(
            .senml,
            """
            [
              {"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":120.1},
              {"n":"current","u":"A","v":1.2}
            ]
            """)
        let fields: [String: FieldValue] = ["voltage": .double(120.1), "current": .double(1.2)]
        #expect(decoded.readings == [Reading(device: "urn:dev:ow:10e2073a01080063", time: nil, fields: fields)])
    }

    private let seconds = """
        [
          {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,
           "bu":"A","bver":5,
           "n":"voltage","u":"V","v":120.1},
          {"n":"current","t":-5,"v":1.2},
          {"n":"current","t":-4,"v":1.3},
          {"n":"current","t":-3,"v":1.4},
          {"n":"current","t":-2,"v":1.5},
          {"n":"current","t":-1,"v":1.6},
          {"n":"current","v":1.7}
        ]
        """

    /// 2010-06-08T18:01:16.001Z and the five seconds before.
    private func secondsResolved(device: String) -> [Reading] {
        let last = Timestamp(microseconds: 1_276_020_076_001_000)
        func reading(_ second: Int64, _ fields: [String: FieldValue]) -> Reading {
            Reading(device: device, time: last + .seconds(second), fields: fields)
        }
        return [
            reading(0, ["voltage": .double(120.1)]), reading(-5, ["current": .double(1.2)]), reading(-4, ["current": .double(1.3)]),
            reading(-3, ["current": .double(1.4)]), reading(-2, ["current": .double(1.5)]), reading(-1, ["current": .double(1.6)]),
            reading(0, ["current": .double(1.7)]),
        ]
    }

    @Test func timesAreAddedToTheBaseTime() {
        #expect(message(.senml, seconds).readings == secondsResolved(device: "urn:dev:ow:10e2073a0108006"))
        #expect(message(.senml, seconds, device: "d1").readings == secondsResolved(device: "d1"))
    }

    /// Section 6: the same pack, labels as integers.
    @Test func cborIsTheSame() {
        let hex = """
            87 a7 21 78 1b 75 72 6e 3a 64 65 76 3a 6f 77 3a 31 30 65 32 30 37 33 61 30 31 30 38 30 30 36 3a
            22 fb 41 d3 03 a1 5b 00 10 62 23 61 41 20 05 00 67 76 6f 6c 74 61 67 65 01 61 56 02 fb 40 5e 06 66 66 66 66 66
            a3 00 67 63 75 72 72 65 6e 74 06 24 02 fb 3f f3 33 33 33 33 33 33 a3 00 67 63 75 72 72 65 6e 74 06 23
            02 fb 3f f4 cc cc cc cc cc cd a3 00 67 63 75 72 72 65 6e 74 06 22 02 fb 3f f6 66 66 66 66 66 66 a3 00
            67 63 75 72 72 65 6e 74 06 21 02 f9 3e 00 a3 00 67 63 75 72 72 65 6e 74 06 20 02 fb 3f f9 99 99 99 99
            99 9a a3 00 67 63 75 72 72 65 6e 74 06 00 02 fb 3f fb 33 33 33 33 33 33
            """
        #expect(message(.senml, bytes(hex: hex)).readings == secondsResolved(device: "urn:dev:ow:10e2073a0108006"))
    }

    @Test func multipleMeasurementsAreCalledByTheirUnitsAndResolvedRecordsAreTheSame() {
        let pack = """
            [
              {"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},
              {"u":"lon","v":24.30621},
              {"u":"lat","v":60.07965},
              {"t":60,"v":20.3},
              {"u":"lon","t":60,"v":24.30622},
              {"u":"lat","t":60,"v":60.07965},
              {"u":"%EL","t":150,"v":98}
            ]
            """
        let resolved = """
            [
              {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067464e+09,"v":20},
              {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1.320067464e+09,"v":24.30621},
              {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1.320067464e+09,"v":60.07965},
              {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067524e+09,"v":20.3},
              {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1.320067524e+09,"v":24.30622},
              {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1.320067524e+09,"v":60.07965},
              {"n":"urn:dev:ow:10e2073a01080063","u":"%EL","t":1.320067614e+09,"v":98}
            ]
            """
        let device = "urn:dev:ow:10e2073a01080063"
        let expected = [
            Reading(
                device: device, time: time("2011-10-31T13:24:24Z"),
                fields: ["%RH": .integer(20), "lon": .double(24.30621), "lat": .double(60.07965)]),
            Reading(
                device: device, time: time("2011-10-31T13:25:24Z"),
                fields: ["%RH": .double(20.3), "lon": .double(24.30622), "lat": .double(60.07965)]),
            Reading(device: device, time: time("2011-10-31T13:26:54Z"), fields: ["%EL": .integer(98)]),
        ]
        #expect(message(.senml, pack).readings == expected)
        #expect(message(.senml, resolved).readings == expected)
    }

    @Test func everyTypeOfValueIsStored() {
        let decoded = message(
            .senml,
            """
            [
              {"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},
              {"n":"label","vs":"Machine Room"},
              {"n":"open","vb":false},
              {"n":"nfc-reader","vd":"aGkgCg"}
            ]
            """)
        let fields: [String: FieldValue] = [
            "temp": .double(23.1), "label": .string("Machine Room"), "open": .boolean(false), "nfc-reader": .binary(Array("hi \n".utf8)),
        ]
        #expect(decoded.readings == [Reading(device: "urn:dev:ow:10e2073a01080063", time: nil, fields: fields)])
        let cbor = message(.senml, bytes(hex: "81a3 21 63646576 00 6161 08 4401020304"))
        #expect(cbor.readings == [Reading(device: "dev", time: nil, fields: ["a": .binary([1, 2, 3, 4])])])
    }

    @Test func aCollectionOfResourcesHasSeveralDevices() {
        let decoded = message(
            .senml,
            """
            [
              {"bn":"2001:db8::2/","bt":1.320078429e+09,"n":"temperature","u":"Cel","v":25.2},
              {"n":"humidity","u":"%RH","v":30},
              {"bn":"2001:db8::1/","n":"temperature","u":"Cel","v":12.3},
              {"n":"humidity","u":"%RH","v":67}
            ]
            """)
        let at = time("2011-10-31T16:27:09Z")
        #expect(
            decoded.readings == [
                Reading(device: "2001:db8::2", time: at, fields: ["temperature": .double(25.2), "humidity": .integer(30)]),
                Reading(device: "2001:db8::1", time: at, fields: ["temperature": .double(12.3), "humidity": .integer(67)]),
            ])
    }

    @Test func smallTimesAreRelativeToTheReceipt() {
        let decoded = message(.senml, #"[{"bn":"d/","n":"a","t":-1.5,"v":1},{"n":"a","v":2},{"n":"a","t":60,"v":3},{"n":"a","t":0,"v":4}]"#)
        #expect(decoded.outcome == .readings(areTimedByReceipt: true))
        #expect(decoded.readings.map(\.time) == [time("2025-11-24T15:59:58.500Z"), nil, time("2025-11-24T16:01:00Z"), nil])
        #expect(message(.senml, #"[{"bn":"d/","n":"a","bt":268435456,"v":1}]"#).readings.first?.time == time("1978-07-04T21:24:16Z"))
        #expect(message(.senml, #"[{"n":"d/a","bt":268435400,"t":55,"v":1}]"#).outcome == .readings(areTimedByReceipt: true))
    }

    @Test func baseValuesAndSumsAreAdded() {
        let decoded = message(.senml, #"[{"bn":"m:","bv":20,"bs":1000,"n":"e","v":1.5,"s":7},{"n":"f","v":3},{"n":"g","s":-1}]"#)
        let fields: [String: FieldValue] = [
            "e": .double(21.5), "e_sum": .integer(1007), "f": .integer(23), "f_sum": .integer(1000), "g_sum": .integer(999),
        ]
        #expect(decoded.readings == [Reading(device: "m", time: nil, fields: fields)])
        let wide = message(.senml, #"[{"n":"m/a","bv":9223372036854775807,"v":1}]"#)
        #expect(wide.readings.first?.fields == ["a": .double(9_223_372_036_854_775_808)])
        #expect(message(.senml, #"[{"bn":"m/","bu":"V"},{"n":"a","v":1}]"#).readings.count == 1)
    }

    @Test func whatIsMissingBesideABaseValueIsZero() {
        let decoded = message(.senml, #"[{"bn":"m/","n":"a","bv":20},{"n":"b","v":1},{"n":"c","s":3},{"n":"d","vs":"x"},{"n":"e"}]"#)
        let fields: [String: FieldValue] = ["a": .integer(20), "b": .integer(21), "c_sum": .integer(3), "d": .string("x")]
        #expect(decoded.readings == [Reading(device: "m", time: nil, fields: fields)])
        #expect(message(.senml, #"[{"bn":"m/","bu":"V","bv":-1.5}]"#).readings.first?.fields == ["V": .double(-1.5)])
        #expect(message(.senml, #"[{"n":"m/a","bv":2,"s":7}]"#).readings.first?.fields == ["a_sum": .integer(7)])
        #expect(message(.senml, #"[{"n":"m/a","bv":"2"}]"#).rejection?.reason == .badValue)
    }

    @Test(arguments: [
        ("house/kitchen/temp", "house/kitchen", "temp"), ("urn:dev:ow:10e2073a0108006:voltage", "urn:dev:ow:10e2073a0108006", "voltage"),
        ("urn:dev:mac:0024befffe804ff1_humidity", "urn:dev:mac:0024befffe804ff1", "humidity"), ("pump_7:flow", "pump_7", "flow"),
        ("pump7", "pump7", "bar"), ("urn:dev:os:32473-123456", "urn:dev:os:32473-123456", "bar"), ("pump7/", "pump7", "bar"),
        ("urn:dev:", "urn:dev", "bar"),
    ])
    func aNameIsSplitIntoDeviceAndField(_ name: String, _ device: String, _ field: String) {
        let decoded = message(.senml, "[{\"n\":\"\(name)\",\"u\":\"bar\",\"v\":1}]")
        #expect(decoded.readings == [Reading(device: device, time: nil, fields: [field: .integer(1)])])
    }

    @Test func theTopicsDeviceWins() {
        let decoded = message(.senml, #"[{"bn":"x:","n":"a","v":1},{"n":"_b","v":2},{"n":"","u":"","v":3}]"#, device: "d")
        #expect(decoded.readings == [Reading(device: "d", time: nil, fields: ["a": .integer(1), "b": .integer(2), "value": .integer(3)])])
        #expect(message(.senml, #"[{"n":"urn:dev:ow:1:a","v":1}]"#, device: "d").readings.first?.fields == ["urn:dev:ow:1:a": .integer(1)])
    }

    @Test(arguments: [
        (#"[{"n":"d/a","v":1,"x_":2}]"#, RejectReason.undecodable), (#"[{"n":"d/a","v":1,"bver":11}]"#, .undecodable),
        (#"[{"n":"d/a","v":"1"}]"#, .badValue), (#"[{"n":"d/a","vb":1}]"#, .badValue), (#"[{"n":"d/a","vs":1}]"#, .badValue),
        (#"[{"n":"d/a","vd":"a"}]"#, .badValue), (#"[{"n":"d/a","vd":"a*aa"}]"#, .badValue), (#"[{"n":1,"v":1}]"#, .badValue),
        (#"[{"n":"d/a","t":1e300,"v":1}]"#, .badTime), (#"[{"n":"d/a","t":-9223372036854775808,"v":1}]"#, .badTime),
        (#"[{"v":1}]"#, .noDevice), (#"[{"bn":"::","n":"a","v":1}]"#, .noDevice), ("[]", .noFields), (#"[{"bn":"d"}]"#, .noFields),
        (#"{"n":"d/a","v":1}"#, .undecodable), ("[1]", .undecodable), (#"[{"n":"d/a","v":1},{"n":"d/b","v":null}]"#, .badValue),
        (#"[{"n":"d/a","v":18446744073709551615}]"#, .badValue),
    ])
    func whatBreaksTheRulesIsRefused(_ payload: String, _ reason: RejectReason) {
        #expect(message(.senml, payload).rejection?.reason == reason)
    }

    @Test func whatNeedNotBeUnderstoodIsPassedOver() {
        let decoded = message(.senml, #"[{"n":"d/a","v":1,"ut":5,"l":"[]","x":{"y":[1]}}]"#)
        #expect(decoded.readings == [Reading(device: "d", time: nil, fields: ["a": .integer(1)])])
        #expect(message(.senml, bytes(hex: "81a400 63642f61 0201 1863 f5 38 63 f4")).readings.count == 1)
    }
}
