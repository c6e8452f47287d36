import Foundation
import Telemetry
import Testing

@testable import Ingest

@Suite struct DeadLetterReaderTests {
    private let directory: TemporaryDirectory
    private let clock = ManualClock(Timestamp(microseconds: 1_764_000_000_000_000))
    private let file: DeadLetterFile

    init() throws {
        directory = try TemporaryDirectory()
        file = DeadLetterFile(path: directory.file("dead"), byteLimit: 1 << 20, fileLimit: 8, clock: clock)
    }

    private func read(_ change: (inout DeadLetterSelection) -> Void = { _ in }) throws -> (letters: [StoredLetter], unreadable: Int) {
        var selection = DeadLetterSelection()
        change(&selection)
        let reader = try DeadLetterReader(path: directory.file("dead"), selection: selection)
        var letters: [StoredLetter] = []
        while let letter = try reader.next() { letters.append(letter) }
        return (letters, reader.unreadableCount)
    }

    private func mark(_ letter: StoredLetter, _ reader: DeadLetterReader) throws {
        try reader.promiseMark(letter)
        reader.mark(letter)
    }

    @Test func whatWasWrittenIsReadBackByteForByte() throws {
        var chance = SystemRandomNumberGenerator()
        var sent: [[UInt8]] = (0...255).map { [$0] } + [Array("\"\\/\n\r\t\u{0}\u{1f}\u{7f}é€😀".utf8)]
        for _ in 0..<300 { sent.append((0..<Int.random(in: 1...40, using: &chance)).map { _ in .random(in: 0...255, using: &chance) }) }
        for payload in sent { try file.append(payload, topic: "t/\"ü\"\u{1}") }
        let (letters, unreadable) = try read()
        #expect(letters.map(\.letter.payload) == sent)
        #expect(letters.allSatisfy { $0.letter.topic == "t/\"ü\"\u{1}" && $0.letter.detail == "why" && !$0.letter.isCut })
        #expect(letters.allSatisfy { $0.letter.time == clock.now() && $0.letter.reason == "undecodable" } && unreadable == 0)
    }

    @Test func linesThatAreNoLettersAreCountedAndPassedOver() throws {
        try file.append(Array("good".utf8))
        let path = directory.file("dead/000000000001.ndjson")
        let line = try Data(contentsOf: URL(filePath: path)).dropLast()
        var seed = UInt64.random(in: 1 ... .max)
        print("seed \(seed)")
        var damaged = Data()
        var count = 0
        for cut in 1..<line.count {
            damaged += line.prefix(cut) + Data([0x0A])
            count += 1
        }
        try (damaged + line + Data([0x0A])).write(to: URL(filePath: path))
        let (letters, unreadable) = try read()
        #expect(letters.count == 1 && unreadable == count)

        // Any byte changed: a letter or none, never a crash.
        for _ in 0..<20_000 {
            var bytes = Array(line)
            for _ in 0..<3 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(seed >> 33) % bytes.count] = UInt8(truncatingIfNeeded: seed >> 25)
            }
            _ = DeadLetterLine(bytes[...])
        }
    }

    @Test(arguments: [#"{"payload_bytes":99999999999999999999}"#, "{", "{}", "", #"{"a":"\u12"}"#, #"{"a":"\ud800"}"#, "{\"a\":\"", "[1]"])
    func otherTextIsNoLetter(text: String) { #expect(DeadLetterLine(Array(text.utf8)[...]) == nil) }

    @Test func lettersAreSelectedByReasonTopicAndTime() throws {
        try file.append([1], topic: "plant/a/state", reason: .late)
        clock.advance(by: .minutes(1))
        try file.append([2], topic: "plant/b/state", reason: .undecodable)
        clock.advance(by: .minutes(1))
        try file.append([3], topic: "plant/a/other", reason: .late)
        func found(_ change: (inout DeadLetterSelection) -> Void) throws -> [UInt8] { try read(change).letters.flatMap(\.letter.payload) }
        #expect(try found { _ in } == [1, 2, 3])
        #expect(try found { $0.reason = .late } == [1, 3])
        #expect(try found { $0.topic = "plant/a/state" } == [1])
        #expect(try found { $0.topic = "plant/+/state" } == [1, 2])
        #expect(try found { $0.topic = "#" } == [1, 2, 3])
        #expect(try found { $0.since = Timestamp(microseconds: 1_764_000_060_000_000) } == [2, 3])
        #expect(try found { ($0.reason, $0.topic) = (.late, "plant/+/other") } == [3])
        var selection = DeadLetterSelection()
        selection.topic = "a/#/b"
        #expect(selection.hasInvalidTopic)
    }

    @Test func lettersOfFilesThatGoAwayMeanwhileAreStillRead() throws {
        let small = DeadLetterFile(path: directory.file("dead"), byteLimit: 4_000, fileLimit: 4, clock: clock)
        for index in 0..<40 { try small.append(Array("old \(index)".utf8)) }
        let expected = try read().letters.count
        let reader = try DeadLetterReader(path: directory.file("dead"), selection: DeadLetterSelection())
        for index in 0..<100 { try small.append(Array("new \(index)".utf8)) }
        var count = 0
        while let letter = try reader.next() {
            count += 1
            #expect(String(decoding: letter.letter.payload, as: UTF8.self).hasPrefix("old"))
        }
        #expect(count == expected)
    }

    @Test func marksAreKeptAndATornOneIsNone() throws {
        for index in 0..<3 { try file.append([UInt8(index)]) }
        let reader = try DeadLetterReader(path: directory.file("dead"), selection: DeadLetterSelection())
        for index in 0..<2 {
            let letter = try #require(try reader.next())
            if index == 1 { try mark(letter, reader) }
        }
        try reader.saveMarks()
        #expect(try read().letters.map(\.isReplayed) == [false, true, false])
        let path = URL(filePath: directory.file("dead/000000000001.replayed"))
        try (try Data(contentsOf: path) + Data("00000000000".utf8)).write(to: path)
        #expect(try read().letters.map(\.isReplayed) == [false, true, false])
        let again = try DeadLetterReader(path: directory.file("dead"), selection: DeadLetterSelection())
        try mark(try #require(try again.next()), again)
        try again.saveMarks()
        #expect(try read().letters.map(\.isReplayed) == [true, true, false])
    }

    @Test func aMarkHoldsForItsLineOnly() throws {
        try file.append([1])
        let reader = try DeadLetterReader(path: directory.file("dead"), selection: DeadLetterSelection())
        try mark(try #require(try reader.next()), reader)
        try reader.saveMarks()
        #expect(try read().letters.map(\.isReplayed) == [true])
        // A power cut took the line, another one stands there.
        #expect(truncate(directory.file("dead/000000000001.ndjson"), 0) == 0)
        try file.append([2])
        #expect(try read().letters.map(\.isReplayed) == [false])
    }

    @Test func marksGoWithTheirFile() throws {
        let small = DeadLetterFile(path: directory.file("dead"), byteLimit: 1_000, fileLimit: 2, clock: clock)
        try small.append([1])
        let reader = try DeadLetterReader(path: directory.file("dead"), selection: DeadLetterSelection())
        try mark(try #require(try reader.next()), reader)
        try reader.saveMarks()
        for _ in 0..<50 { try small.append([2]) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("dead")).allSatisfy { $0.hasSuffix(".ndjson") })
    }
}
