import Dialects
import Telemetry
import Testing

/// Aliases over restarts, failed commits, redelivery and rebirths.
@Suite struct SparkplugMemoryTests {
    private func birth(_ time: UInt64, _ metrics: [(String, UInt64)], session: UInt64 = 1) -> [UInt8] {
        let all = metrics.map { SparkplugPayloadText.Metric($0.0, alias: $0.1, type: 3, .int(0)) }
        return SparkplugPayloadText(time: time, sequence: 0, metrics: [.init("bdSeq", type: 4, .long(session))] + all).bytes
    }

    private func data(_ time: UInt64?, alias: UInt64, _ value: UInt64) -> [UInt8] {
        SparkplugPayloadText(time: time, sequence: 1, metrics: [.init(nil, alias: alias, .int(value))]).bytes
    }

    @Test func theScenariosEncoderWritesWhatProtobufWrites() {
        let metrics: [SparkplugPayloadText.Metric] = [
            .init("Pressure", alias: 100, time: birthTime + 2_000, type: 9, .float(4.5)),
            .init("Starts", alias: 101, time: birthTime + 2_000, type: 3, .int(7)),
            .init("Device Control/Reboot", alias: 102, time: birthTime + 2_000, type: 11, .boolean(false)),
        ]
        #expect(SparkplugPayloadText(time: birthTime + 2_000, sequence: 2, metrics: metrics).bytes == SparkplugVectors.deviceBirth)
    }

    /// docs/format/sparkplug-note.md.
    @Test func notesHaveTheDocumentedBytes() {
        let listener = Listener(.sparkplugB)
        _ = listener.hear("NBIRTH", birth(birthTime, [("a", 300)], session: 3))
        _ = listener.hear("DBIRTH", SparkplugPayloadText(time: birthTime + 1, metrics: [.init("b", type: 9, .float(1))]).bytes, device: "p")
        listener.commit()
        let time: [UInt8] = SparkplugPayloadText.varint(birthTime)
        #expect(time == [0x80, 0xD0, 0xDF, 0xB4, 0xAB, 0x33])
        #expect(
            listener.notes == [
                "sparkplug/Plant/edge1": [1, 1, 3, 1, 1, 0x70, 1] + time + [2, 5] + Array("bdSeq".utf8) + [
                    4, 0, 1, 0x61, 3, 1, 0xAC, 0x02,
                ],
                "sparkplug/Plant/edge1/p": [1, 0, 0, 1] + [time[0] + 1] + time[1...] + [1, 1, 0x62, 9, 0],
            ])
    }

    @Test func aliasesSurviveARestart() {
        let listener = Listener(.sparkplugB)
        _ = listener.hear("NBIRTH", SparkplugVectors.nodeBirth)
        _ = listener.hear("DBIRTH", SparkplugVectors.deviceBirth, device: "pump")
        listener.commit()
        let restarted = Listener(.sparkplugB, notes: listener.notes)
        #expect(restarted.hear("NDATA", SparkplugVectors.nodeData).readings.first?.fields["i8"] == .integer(-6))
        #expect(restarted.hear("DDATA", SparkplugVectors.deviceData, device: "pump").readings.count == 3)
    }

    @Test func whatAFailedCommitTaughtIsForgotten() {
        let listener = Listener(.sparkplugB)
        _ = listener.hear("NBIRTH", birth(birthTime, [("a", 1)]))
        listener.commit()
        _ = listener.hear("NBIRTH", birth(birthTime + 10, [("b", 1)], session: 2))
        #expect(listener.hear("NDATA", data(birthTime + 11, alias: 1, 5)).readings.first?.fields == ["b": .integer(5)])
        listener.forget()
        listener.commit()
        #expect(listener.hear("NDATA", data(birthTime + 1, alias: 1, 5)).readings.first?.fields == ["a": .integer(5)])
    }

    @Test func dataFromBeforeABirthIsReadWithItsOwnAliases() {
        let listener = Listener(.sparkplugB)
        _ = listener.hear("NBIRTH", birth(birthTime, [("a", 1), ("b", 2)]))
        _ = listener.hear("NBIRTH", birth(birthTime + 10, [("b", 1), ("a", 2)], session: 2))
        listener.commit()
        for listener in [listener, Listener(.sparkplugB, notes: listener.notes)] {
            #expect(listener.hear("NDATA", data(birthTime + 9, alias: 1, 5)).readings.first?.fields == ["a": .integer(5)])
            #expect(listener.hear("NDATA", data(birthTime + 10, alias: 1, 6)).readings.first?.fields == ["b": .integer(6)])
            #expect(listener.hear("NDATA", data(nil, alias: 1, 7)).readings.first?.fields == ["b": .integer(7)])
            // Both births come again, as after a lost ack: nothing changes.
            _ = listener.hear("NBIRTH", birth(birthTime, [("a", 1), ("b", 2)]))
            #expect(listener.hear("NDATA", data(birthTime + 9, alias: 2, 5)).readings.first?.fields == ["b": .integer(5)])
            _ = listener.hear("NBIRTH", birth(birthTime + 10, [("b", 1), ("a", 2)], session: 2))
            #expect(listener.hear("NDATA", data(birthTime + 11, alias: 2, 5)).readings.first?.fields == ["a": .integer(5)])
        }
    }

    /// A node whose clock was set back: its newest birth is the one received last, not the one with the latest time.
    @Test func aClockSetBackDoesNotBringOldAliasesBack() {
        let listener = Listener(.sparkplugB)
        _ = listener.hear("NBIRTH", birth(birthTime, [("a", 1)]))
        _ = listener.hear("NBIRTH", birth(birthTime - 3_600_000, [("b", 1)], session: 2))
        #expect(listener.hear("NDATA", data(birthTime - 3_000_000, alias: 1, 5)).readings.first?.fields == ["b": .integer(5)])
        #expect(listener.hear("NDATA", data(birthTime + 1, alias: 1, 5)).readings.first?.fields == ["b": .integer(5)])
    }

    /// A node whose clock stands still: births of one time are told apart by what they say.
    @Test func aBirthOfTheSameTimeWithOtherContentIsNew() {
        let listener = Listener(.sparkplugB)
        func value(_ alias: UInt64) -> [String: FieldValue]? {
            listener.hear("NDATA", data(birthTime, alias: alias, 5)).readings.first?.fields
        }
        _ = listener.hear("NBIRTH", birth(birthTime, [("a", 1)]))
        _ = listener.hear("NBIRTH", birth(birthTime, [("b", 1)]))
        #expect(value(1) == ["b": .integer(5)])
        _ = listener.hear("NBIRTH", birth(birthTime, [("a", 1)], session: 2))
        #expect(value(1) == ["a": .integer(5)])
        // The session of the newest counts, though its metrics are those of one before.
        _ = listener.hear("NBIRTH", birth(birthTime, [("a", 1)], session: 3))
        #expect(listener.hear("NDEATH", birth(birthTime, [], session: 2)).isIgnored)
        #expect(listener.hear("NDEATH", birth(birthTime, [], session: 3)).readings.count == 1)
    }

    @Test func aDeviceMustBeBornAgainAfterItsNode() {
        let listener = Listener(.sparkplugB)
        let pump = SparkplugPayloadText(time: birthTime + 1, metrics: [.init("p", alias: 9, type: 3, .int(0))]).bytes
        _ = listener.hear("NBIRTH", birth(birthTime, []))
        _ = listener.hear("DBIRTH", pump, device: "pump")
        #expect(listener.hear("DDATA", data(birthTime + 2, alias: 9, 1), device: "pump").readings.count == 1)
        _ = listener.hear("NBIRTH", birth(birthTime + 10, [], session: 2))
        #expect(listener.hear("DDATA", data(birthTime + 9, alias: 9, 1), device: "pump").readings.count == 1)
        #expect(listener.hear("DDATA", data(birthTime + 11, alias: 9, 1), device: "pump").rejection?.reason == .undecodable)
        listener.commit()
        #expect(listener.requests.count == 1)
    }

    /// A device whose births carry the time of a clock of its own, which is behind its node's.
    @Test func aDeviceBornAfterItsNodeCountsWhateverItsClockSays() {
        let listener = Listener(.sparkplugB)
        func pump(_ time: UInt64, _ name: String) -> [UInt8] {
            SparkplugPayloadText(time: time, metrics: [.init(name, alias: 9, type: 3, .int(0))]).bytes
        }
        func value(_ time: UInt64, of listener: Listener) -> [String: FieldValue]? {
            listener.hear("DDATA", data(time, alias: 9, 1), device: "pump").readings.first?.fields
        }
        _ = listener.hear("NBIRTH", birth(birthTime, []))
        _ = listener.hear("DBIRTH", pump(birthTime - 5_000, "p"), device: "pump")
        for time in [birthTime - 4_000, birthTime, birthTime + 2] { #expect(value(time, of: listener) == ["p": .integer(1)]) }
        // A birth that comes again is none.
        _ = listener.hear("NBIRTH", birth(birthTime + 10, [], session: 2))
        _ = listener.hear("DBIRTH", pump(birthTime - 5_000, "p"), device: "pump")
        #expect(value(birthTime + 11, of: listener) == nil)
        _ = listener.hear("DBIRTH", pump(birthTime - 4_000, "q"), device: "pump")
        #expect(value(birthTime + 11, of: listener) == ["q": .integer(1)])
        #expect(value(birthTime - 3_000, of: listener) == ["q": .integer(1)])
        #expect(value(birthTime - 4_500, of: listener) == ["p": .integer(1)])
        // The note does not say when a birth came.
        listener.commit()
        #expect(listener.requests.count == 1)
        #expect(value(birthTime + 11, of: Listener(.sparkplugB, notes: listener.notes)) == nil)
    }

    /// A device whose id no reading can have: its birth is rejected, and the node's death is still told.
    @Test func aDeviceWithTooLongAnIdIsNotRemembered() {
        let listener = Listener(.sparkplugB)
        let longest = String(repeating: "d", count: Limits.deviceByteCount - "Plant/edge1/".utf8.count)
        let payload = SparkplugPayloadText(time: birthTime + 1, metrics: [.init("p", alias: 9, type: 3, .int(0))]).bytes
        _ = listener.hear("NBIRTH", birth(birthTime, []))
        #expect(listener.hear("DBIRTH", payload, device: longest + "d").rejection?.reason == .deviceTooLong)
        #expect(listener.hear("DBIRTH", payload, device: longest).readings.count == 2)
        listener.commit()
        #expect(listener.notes.keys.sorted() == ["sparkplug/Plant/edge1", "sparkplug/Plant/edge1/" + longest])
        let death = birth(birthTime, [])
        #expect(listener.hear("NDEATH", death).readings.map(\.device) == ["Plant/edge1", "Plant/edge1/" + longest])
        for type in ["NBIRTH", "NDATA", "NDEATH"] {
            let edge = String(repeating: "e", count: Limits.deviceByteCount)
            #expect(listener.hear(type, death, edge: edge).rejection?.reason == .deviceTooLong)
        }
        listener.commit()
        #expect(listener.notes.count == 2)
    }

    @Test func aNotesDevicesWithTooLongIdsAreLeftOut() {
        let tooLong = [UInt8](repeating: 0x64, count: Limits.deviceByteCount - "Plant/edge1/".utf8.count + 1)
        let devices = SparkplugPayloadText.varint(UInt64(tooLong.count)) + tooLong + [1, 0x70]
        let note: [UInt8] = [1, 0, 2] + devices + [0]
        let listener = Listener(.sparkplugB, notes: ["sparkplug/Plant/edge1": note])
        #expect(listener.hear("NDEATH", []).readings.map(\.device) == ["Plant/edge1", "Plant/edge1/p"])
    }

    /// Devices with the longest names, each a birth: the note's limit comes before the count's.
    @Test func theNoteOfOneNodeHasALimit() {
        let listener = Listener(.sparkplugB)
        func node(_ time: UInt64, _ letter: String) -> [UInt8] {
            let metrics = (0..<65_000).map { SparkplugPayloadText.Metric("\(letter)\($0)", type: 3, .int(0)) }
            return SparkplugPayloadText(time: time, sequence: 0, metrics: metrics).bytes
        }
        func add(devices: Range<Int>) -> Listener.Heard? {
            for number in devices {
                let name = "d\(number)" + String(repeating: "x", count: 239)
                let heard = listener.hear("DBIRTH", birth(birthTime + 5, []), device: name)
                if heard.rejection != nil { return heard }
            }
            return nil
        }
        _ = listener.hear("NBIRTH", node(birthTime, "a"))
        _ = listener.hear("NBIRTH", node(birthTime + 1, "b"))
        #expect(add(devices: 0..<6_000) == nil)
        let refused = add(devices: 6_000..<8_192)
        #expect(refused?.rejection == Rejection(.fieldLimit, "the devices and births of this edge node take more than 4 MiB"))
        listener.commit()
        let note = listener.notes["sparkplug/Plant/edge1"] ?? []
        #expect(note.count > 2 << 20 && note.count <= 4 << 20, "\(note.count)")
        // What was kept is not disturbed by what was refused.
        let named = SparkplugPayloadText(time: birthTime + 6, sequence: 1, metrics: [.init("b7", .int(0xFFFF_FFFF))])
        #expect(listener.hear("NDATA", named.bytes).readings.first?.fields == ["b7": .integer(-1)])
    }

    @Test func hostileNotesAreRefused() {
        let listener = Listener(.sparkplugB)
        _ = listener.hear("NBIRTH", birth(birthTime, [("a", 1)]))
        listener.commit()
        let good = listener.notes["sparkplug/Plant/edge1"] ?? []
        #expect(good.count > 20)
        func understands(_ note: [UInt8]) -> Bool {
            Listener(.sparkplugB, notes: ["sparkplug/Plant/edge1": note]).hear("NDATA", data(birthTime + 1, alias: 1, 5)).readings.count
                == 1
        }
        #expect(understands(good))
        for count in 0..<good.count { #expect(!understands(Array(good[..<count])), "\(count)") }
        #expect(!understands(good + [0]))
        #expect(!understands([2] + good.dropFirst()))
        let endless: [UInt8] = [1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]
        #expect(!understands(endless))
    }
}
