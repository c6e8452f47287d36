import Dialects
import Telemetry
import Testing

/// Time of the first birth.
let birthTime: UInt64 = 1_764_000_000_000

/// An edge node's messages: what the spec calls topics, on the wire.
extension Listener {
    func hear(_ type: String, _ payload: [UInt8], device: String? = nil, edge: String = "edge1") -> Heard {
        hear(payload, topic: "spBv1.0/Plant/\(type)/\(edge)" + (device.map { "/" + $0 } ?? ""))
    }
}

@Suite struct SparkplugTests {
    private static let online = FieldValue.string("online")
    private static let offline = FieldValue.string("offline")

    private func state(_ device: String, _ value: FieldValue) -> Reading { Reading(device: device, time: nil, fields: ["$state": value]) }

    @Test func aBirthIsTheStateAndEveryDatatype() {
        let heard = Listener(.sparkplugB).hear("NBIRTH", SparkplugVectors.nodeBirth)
        let fields: [String: FieldValue] = [
            "i8": .integer(-5), "i16": .integer(-300), "i32": .integer(-70_000), "i64": .integer(-5_000_000_000), "u8": .integer(200),
            "u16": .integer(60_000), "u32": .integer(4_000_000_000), "u64": .integer(5_000_000_000), "float": .double(1.5),
            "double": .double(-2.25), "flag": .boolean(true), "text": .string("grün"), "clock": .integer(1_764_000_000_000),
            "long text": .string("a b"), "uuid": .string("6f0c1a5e-0000-4000-8000-000000000001"), "raw": .binary([0, 255, 16]),
            "file": .binary([0x50, 0x4B]), "with properties": .double(7.5), "int32 array": .binary([1, 0, 0, 0, 255, 255, 255, 255]),
        ]
        #expect(
            heard.readings == [
                state("Plant/edge1", Self.online), Reading(device: "Plant/edge1", time: milliseconds(1_764_000_000_000), fields: fields),
            ], "\(heard.outcome)")
    }

    @Test func dataIsReadWithTheAliasesOfItsBirth() {
        let listener = Listener(.sparkplugB)
        _ = listener.hear("NBIRTH", SparkplugVectors.nodeBirth)
        let heard = listener.hear("NDATA", SparkplugVectors.nodeData)
        let fields: [String: FieldValue] = [
            "i8": .integer(-6), "i32": .integer(-1), "i64": .integer(-1), "float": .double(Double(Float(0.1))), "flag": .boolean(false),
            "text": .string(""),
        ]
        #expect(heard.readings == [Reading(device: "Plant/edge1", time: milliseconds(1_764_000_001_000), fields: fields)])
    }

    @Test func metricsOfOneTimeAreOneReading() {
        let listener = Listener(.sparkplugB)
        _ = listener.hear("NBIRTH", SparkplugVectors.nodeBirth)
        let birth = listener.hear("DBIRTH", SparkplugVectors.deviceBirth, device: "pump")
        #expect(
            birth.readings == [
                state("Plant/edge1/pump", Self.online),
                Reading(
                    device: "Plant/edge1/pump", time: milliseconds(1_764_000_002_000),
                    fields: ["Pressure": .double(4.5), "Starts": .integer(7)]),
            ])
        let data = listener.hear("DDATA", SparkplugVectors.deviceData, device: "pump")
        #expect(
            data.readings == [
                Reading(
                    device: "Plant/edge1/pump", time: milliseconds(1_764_000_003_000),
                    fields: ["Pressure": .double(4.25), "Starts": .integer(8)]),
                Reading(device: "Plant/edge1/pump", time: milliseconds(1_764_000_004_000), fields: ["Pressure": .double(4.75)]),
                Reading(device: "Plant/edge1/pump", time: milliseconds(1_764_000_005_000), fields: ["Starts": .integer(-9)]),
            ])
    }

    @Test func theDeathOfAnEdgeNodeIsThatOfItsDevices() {
        let listener = Listener(.sparkplugB)
        _ = listener.hear("NBIRTH", SparkplugVectors.nodeBirth)
        _ = listener.hear("DBIRTH", SparkplugVectors.deviceBirth, device: "pump")
        _ = listener.hear("DBIRTH", SparkplugVectors.deviceBirth, device: "fan")
        listener.commit()
        #expect(listener.hear("DDEATH", SparkplugVectors.deviceDeath, device: "pump").readings == [state("Plant/edge1/pump", Self.offline)])
        let all = [
            state("Plant/edge1", Self.offline), state("Plant/edge1/pump", Self.offline), state("Plant/edge1/fan", Self.offline),
        ]
        #expect(listener.hear("NDEATH", SparkplugVectors.nodeDeath).readings == all)
        let restarted = Listener(.sparkplugB, notes: listener.notes)
        #expect(restarted.hear("NDEATH", SparkplugVectors.nodeDeath).readings == all)
    }

    @Test func theDeathOfAnEarlierSessionIsIgnored() {
        let listener = Listener(.sparkplugB)
        _ = listener.hear("NBIRTH", SparkplugPayloadText(time: birthTime, sequence: 0, metrics: [.init("bdSeq", type: 4, .long(4))]).bytes)
        #expect(listener.hear("NDEATH", SparkplugVectors.nodeDeath).isIgnored)
        // Of a node that was never born it is taken.
        #expect(listener.hear("NDEATH", SparkplugVectors.nodeDeath, edge: "edge2").readings == [state("Plant/edge2", Self.offline)])
    }

    @Test func anUnknownAliasIsRejectedAndARebirthAskedForOnceAMinute() {
        let listener = Listener(.sparkplugB)
        let heard = listener.hear("DDATA", SparkplugVectors.deviceData, device: "pump")
        #expect(heard.rejection?.reason == .undecodable)
        #expect(heard.rejection?.detail == "4 metrics that no birth of Plant/edge1/pump explains")
        listener.commit()
        #expect(listener.unknownAliases == 4)
        #expect(listener.requests.map { String(decoding: $0.topic, as: UTF8.self) } == ["spBv1.0/Plant/NCMD/edge1"])
        #expect(listener.requests.map(\.payload) == [SparkplugVectors.rebirth])
        listener.now = listener.now + .seconds(59)
        _ = listener.hear("NDATA", SparkplugVectors.nodeData)
        listener.commit()
        #expect(listener.requests.isEmpty)
        _ = listener.hear("NDATA", SparkplugVectors.nodeData, edge: "edge2")
        listener.now = listener.now + .seconds(1)
        _ = listener.hear("NDATA", SparkplugVectors.nodeData)
        listener.commit()
        #expect(
            listener.requests.map { String(decoding: $0.topic, as: UTF8.self) } == ["spBv1.0/Plant/NCMD/edge2", "spBv1.0/Plant/NCMD/edge1"])
    }

    @Test func namesInDataNeedNoBirth() {
        let payload = SparkplugPayloadText(
            time: birthTime, sequence: 7, metrics: [.init("t", type: 9, .float(21.5)), .init("n", type: 3, .int(5))])
        let heard = Listener(.sparkplugB).hear("NDATA", payload.bytes)
        let time = milliseconds(1_764_000_000_000)
        #expect(heard.readings == [Reading(device: "Plant/edge1", time: time, fields: ["t": .double(21.5), "n": .integer(5)])])
        // Without a datatype, the birth's counts.
        let listener = Listener(.sparkplugB)
        _ = listener.hear("NBIRTH", SparkplugPayloadText(time: birthTime, sequence: 0, metrics: [.init("n", type: 1, .int(1))]).bytes)
        let data = listener.hear("NDATA", SparkplugPayloadText(time: birthTime, sequence: 1, metrics: [.init("n", .int(0xFF))]).bytes)
        #expect(data.readings.first?.fields == ["n": .integer(-1)])
    }

    @Test func missingSequenceNumbersAreCounted() {
        let listener = Listener(.sparkplugB)
        func data(_ sequence: UInt64) -> [UInt8] {
            SparkplugPayloadText(time: birthTime + 1, sequence: sequence, metrics: [.init("n", type: 3, .int(1))]).bytes
        }
        _ = listener.hear("NBIRTH", SparkplugVectors.nodeBirth)
        for sequence in [1, 2, 5, 5, 2, 6] { _ = listener.hear("NDATA", data(UInt64(sequence))) }
        listener.commit()
        #expect(listener.sequenceGaps == 2)
        for sequence in 7...255 { _ = listener.hear("DDATA", data(UInt64(sequence)), device: "pump") }
        for sequence in [0, 1, 3] { _ = listener.hear("NDATA", data(UInt64(sequence))) }
        listener.commit()
        #expect(listener.sequenceGaps == 3)
        let reborn = SparkplugPayloadText(time: birthTime + 5, sequence: 0, metrics: [])
        #expect(listener.hear("NBIRTH", reborn.bytes).readings == [state("Plant/edge1", Self.online)])
        listener.commit()
        #expect(listener.sequenceGaps == 3)
    }

    @Test(arguments: ["spBv1.0/STATE/scada", "STATE/scada", "spBv1.0/Plant/NCMD/edge1", "spBv1.0/Plant/DCMD/edge1/pump"])
    func commandsAndHostStatesAreIgnored(_ topic: String) {
        #expect(Listener(.sparkplugB).hear("{}", topic: topic).isIgnored)
    }

    @Test(
        arguments: [
            "x", "spBv1.0", "spBv1.0/Plant", "spBv1.0/Plant/NDATA", "spBv1.0/Plant/NDATA/", "spBv1.0/Plant/NDATA/e/d",
            "spBv1.0/Plant/DDATA/e",
            "spBv1.0/Plant/DDATA/e/d/x", "spBv1.0//NDATA/e", "spBv1.0/Plant/XDATA/e", "spAv1.0/Plant/NDATA/e",
        ])
    func otherTopicsAreRejected(_ topic: String) {
        #expect(Listener(.sparkplugB).hear(SparkplugVectors.nodeBirth, topic: topic).rejection?.reason == .unmatchedTopic)
    }

    @Test func aBirthOfMoreMetricsThanAReadingHasFieldsIsSeveral() {
        let metrics = (0..<2_500).map { SparkplugPayloadText.Metric("m\($0)", type: 3, .int(UInt64($0))) }
        let heard = Listener(.sparkplugB).hear("NBIRTH", SparkplugPayloadText(time: birthTime, sequence: 0, metrics: metrics).bytes)
        #expect(heard.readings.map(\.fields.count) == [1, 1_024, 1_024, 452], "\(heard.outcome)")
        #expect(heard.readings.dropFirst().allSatisfy { $0.time == milliseconds(1_764_000_000_000) })
    }

    @Test func whatCannotBeStoredIsRejectedWithItsReason() {
        func reason(_ payload: SparkplugPayloadText, _ type: String = "NBIRTH") -> RejectReason? {
            Listener(.sparkplugB).hear(type, payload.bytes).rejection?.reason
        }
        let long = String(repeating: "n", count: 257)
        #expect(reason(.init(time: birthTime, sequence: 0, metrics: [.init("u", type: 8, .long(.max))]), "NDATA") == .badValue)
        #expect(reason(.init(time: .max, sequence: 0, metrics: [.init("u", type: 7, .int(1))])) == .badTime)
        #expect(reason(.init(time: birthTime, sequence: 0, metrics: [.init(long, type: 7, .int(1))])) == .fieldNameTooLong)
        #expect(reason(.init(time: birthTime, sequence: 0, metrics: [.init(nil, alias: 4, type: 7, .int(1))])) == .undecodable)
        let twice = [SparkplugPayloadText.Metric("a", alias: 4, type: 7, .int(1)), .init("b", alias: 4, type: 7, .int(1))]
        #expect(reason(.init(time: birthTime, sequence: 0, metrics: twice)) == .undecodable)
        #expect(Listener(.sparkplugB).hear("NDATA", [0x22, 18] + Array("SPBV1.0_COMPRESSED".utf8)).rejection?.reason == .undecodable)
        let unnamed: [UInt8] = [0x12, 0x05, 0x0A, 0x01, 0xC3, 0x50, 0x01]
        #expect(Listener(.sparkplugB).hear("NDATA", unnamed).rejection?.detail == "a metric's name is not UTF-8 text")
        #expect(Listener(.sparkplugB).hear("NBIRTH", unnamed).rejection?.reason == .undecodable)
        #expect(Listener(.sparkplugB).hear("NDATA", [0xFF]).rejection?.detail == "no Sparkplug payload: truncated at byte 1")
        #expect(Listener(.sparkplugB).hear("NDATA", SparkplugPayloadText(time: birthTime, sequence: 0, metrics: []).bytes).isIgnored)
        let excluded = Listener(.sparkplugB) { $0.include = ["none"] }.hear("NBIRTH", SparkplugVectors.nodeBirth)
        #expect(excluded.readings == [state("Plant/edge1", Self.online)])
    }

    /// Without a datatype the bits of an integer say nothing: -1 in 32 bits would be stored as 4294967295.
    @Test func anIntegerWithoutADatatypeAsksForABirth() {
        let listener = Listener(.sparkplugB)
        func data(_ metrics: [SparkplugPayloadText.Metric]) -> Listener.Heard {
            listener.hear("NDATA", SparkplugPayloadText(time: birthTime + 1, sequence: 1, metrics: metrics).bytes)
        }
        let heard = data([.init("n", .int(0xFFFF_FFFF)), .init("m", .long(5)), .init("f", .float(1)), .init("bdSeq", .long(3))])
        #expect(heard.rejection == Rejection(.undecodable, "2 metrics that no birth of Plant/edge1 explains"))
        listener.commit()
        #expect(listener.unknownAliases == 2)
        #expect(listener.requests.map(\.payload) == [SparkplugVectors.rebirth])
        #expect(
            data([.init("f", .float(1)), .init("b", .boolean(true))]).readings.first?.fields == ["f": .double(1), "b": .boolean(true)])
        _ = listener.hear("NBIRTH", SparkplugPayloadText(time: birthTime, sequence: 0, metrics: [.init("n", type: 3, .int(1))]).bytes)
        #expect(data([.init("n", .int(0xFFFF_FFFF))]).readings.first?.fields == ["n": .integer(-1)])
        #expect(data([.init("m", .int(1))]).rejection?.reason == .undecodable)
    }

    /// What one metric holds must cost neither the state nor the values of all the others.
    @Test func aBirthIsStoredWithoutItsBadMetrics() {
        let listener = Listener(.sparkplugB)
        let metrics = [
            SparkplugPayloadText.Metric("u", alias: 1, type: 8, .long(.max)), .init("n", alias: 2, type: 3, .int(1)),
            .init("bare", alias: 3, .int(1)), .init("late", time: birthTime + 1, type: 8, .long(.max)),
        ]
        let birth = listener.hear("NBIRTH", SparkplugPayloadText(time: birthTime, sequence: 0, metrics: metrics).bytes)
        let stored = Reading(device: "Plant/edge1", time: milliseconds(1_764_000_000_000), fields: ["n": .integer(1)])
        #expect(birth.readings == [state("Plant/edge1", Self.online), stored], "\(birth.outcome)")
        listener.commit()
        #expect(listener.ignoredMetrics == 3)
        let data = SparkplugPayloadText(time: birthTime, sequence: 1, metrics: [.init(nil, alias: 2, .int(9))])
        #expect(listener.hear("NDATA", data.bytes).readings.first?.fields == ["n": .integer(9)])
    }
}
