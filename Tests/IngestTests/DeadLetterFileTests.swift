import Dialects
import Foundation
import Telemetry
import Testing

@testable import Ingest

@Suite struct DeadLetterFileTests {
    private let directory: TemporaryDirectory
    private let clock = ManualClock(Timestamp(microseconds: 1_764_000_000_000_000))

    init() throws { directory = try TemporaryDirectory() }

    private func file(byteLimit: Int = 1 << 20, fileLimit: Int = 4) -> DeadLetterFile {
        DeadLetterFile(path: directory.file("dead"), byteLimit: byteLimit, fileLimit: fileLimit, clock: clock)
    }

    private var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: directory.file("dead")).sorted() } }
    private func lines(_ number: Int = 1) -> [String] { directory.lines(of: String(format: "dead/%012d.ndjson", number)) }
    private var payloads: [String] { get throws { try names.flatMap { directory.lines(of: "dead/\($0)") }.compactMap(payload) } }

    private func payload(_ line: String) -> String? {
        DeadLetterLine(Array(line.utf8)[...]).map { String(decoding: $0.payload, as: UTF8.self) }
    }

    @Test func aLineHoldsTimeTopicReasonDetailAndPayload() throws {
        try file().append(Array("{\"é\":\n\u{1}}".utf8))
        #expect(
            lines() == [
                #"{"time":"2025-11-24T16:00:00Z","broker":"b:1","topic":"a/\"b\"","reason":"undecodable","#
                    + #""detail":"why","payload":"{\"é\":\n\u0001}"}"#
            ])
    }

    @Test func bytesThatAreNoTextStandInBase64() throws {
        let file = file()
        for count in 1...5 {
            let payload = [UInt8](repeating: 0xFF, count: count)
            try file.append(payload)
            let line = try #require(lines().last)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect((object["payload_base64"] as? String).flatMap { Data(base64Encoded: $0) } == Data(payload))
        }
    }

    @Test func everyByteGivesALineThatIsJSON() throws {
        let file = file()
        for byte in UInt8(0)...127 {
            try file.append([byte])
            let line = try #require(lines().last)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(object["payload"] as? String == String(UnicodeScalar(byte)))
        }
    }

    @Test func aLongPayloadIsCutAndItsSizeTold() throws {
        try file().append([UInt8](repeating: 0x78, count: 65_536), byteCount: 2_000_000)
        #expect(lines()[0].contains("\"payload_bytes\":2000000,"))
    }

    @Test func filesRotateAndTheOldestGoSoThatCountAndBytesStayBounded() throws {
        let file = file(byteLimit: 4_000, fileLimit: 3)
        for index in 0..<200 {
            try file.append(Array("payload \(index)".utf8))
            let sizes = try names.map { try Data(contentsOf: URL(filePath: directory.file("dead/\($0)"))).count }
            #expect(sizes.count <= 3 && sizes.reduce(0, +) <= 4_000, "after \(index): \(sizes)")
        }
        #expect(try names.count == 3)
        // The newest, in order, without a gap.
        let kept = try payloads
        #expect(kept == (200 - kept.count..<200).map { "payload \($0)" } && kept.count > 20)
    }

    @Test func aLineLargerThanAFilesShareDisplacesOldFilesButNotTheCap() throws {
        let file = file(byteLimit: 4_000, fileLimit: 4)
        for index in 0..<20 { try file.append(Array("payload \(index)".utf8)) }
        try file.append([UInt8](repeating: 0x78, count: 3_850))
        #expect(try names.count == 1)
        try file.append(Array("after".utf8))
        #expect(try payloads == ["after"])
    }

    @Test func aRestartGoesOnInTheNewestFileAndKeepsTheBounds() throws {
        for index in 0..<200 { try file(byteLimit: 4_000, fileLimit: 3).append(Array("payload \(index)".utf8)) }
        #expect(try names.count == 3)
        let kept = try payloads
        #expect(kept == (200 - kept.count..<200).map { "payload \($0)" } && kept.count > 20)
    }

    @Test func aTornLineSpoilsNoOther() throws {
        try file().append(Array("first".utf8))
        let path = directory.file("dead/000000000001.ndjson")
        let whole = try Data(contentsOf: URL(filePath: path))
        // A crash may leave any part of a second line; one byte less than all of it included.
        for count in 1..<whole.count {
            try (whole + whole.prefix(count)).write(to: URL(filePath: path))
            try file().append(Array("third".utf8))
            let found = lines().map { payload($0) }
            #expect(found.first == "first" && found.last == "third" && found.count == 3, "torn after \(count) bytes: \(lines())")
        }
    }

    @Test func aTornLineAtTheEndOfAFullFileDoesNotComeIntoTheNext() throws {
        try file(byteLimit: 1_000, fileLimit: 2).append([UInt8](repeating: 0x78, count: 300))
        let path = directory.file("dead/000000000001.ndjson")
        try (try Data(contentsOf: URL(filePath: path)) + Data("{\"time".utf8)).write(to: URL(filePath: path))
        try file(byteLimit: 1_000, fileLimit: 2).append([UInt8](repeating: 0x79, count: 300))
        #expect(lines(2).count == 1 && payload(lines(2)[0])?.hasPrefix("yyy") == true)
    }

    @Test func filesOfOthersAreLeftAlone() throws {
        try FileManager.default.createDirectory(atPath: directory.file("dead"), withIntermediateDirectories: true)
        for name in ["notes", "1.ndjson", "00000000000x.ndjson", "0000000000001.ndjson"] {
            try Data("x".utf8).write(to: URL(filePath: directory.file("dead/\(name)")))
        }
        let file = file(byteLimit: 1_000, fileLimit: 2)
        for index in 0..<50 { try file.append(Array("payload \(index)".utf8)) }
        #expect(try names.count == 6)
    }

    @Test func aFileThatCannotBeWrittenSaysWhy() throws {
        let missing = DeadLetterFile(path: directory.file("missing/dead"), clock: clock)
        let error = #expect(throws: DeadLetterFailure.self) { try missing.append([1]) }
        #expect(error?.description.contains("No such file or directory") == true)
        #expect(error?.isOutOfSpace == false)
        try Data().write(to: URL(filePath: directory.file("plain")))
        let plain = DeadLetterFile(path: directory.file("plain"), clock: clock)
        #expect(throws: DeadLetterFailure.self) { try plain.append([1]) }
    }

    @Test func aFullDiskIsToldApartAndLeavesWhenItIsOver() throws {
        try FileManager.default.createDirectory(atPath: directory.file("dead"), withIntermediateDirectories: true)
        let path = directory.file("dead/000000000001.ndjson")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
        let file = file()
        for _ in 0..<2 {
            let error = #expect(throws: DeadLetterFailure.self) { try file.append([1]) }
            #expect(error?.isOutOfSpace == true)
        }
        try FileManager.default.removeItem(atPath: path)
        try file.append(Array("later".utf8))
        #expect(lines().compactMap(payload) == ["later"])
    }

    private func withLetters(_ payloads: [[UInt8]], _ body: (inout ArraySlice<DeadLetter>) throws -> Void) rethrows {
        let ends = payloads.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
        try payloads.flatMap(\.self).withUnsafeBytes { bytes in
            var letters = payloads.indices.map { index in
                let payload = UnsafeRawBufferPointer(rebasing: bytes[ends[index]..<ends[index + 1]])
                return DeadLetter(
                    rejection: Rejection(.late, "why"), broker: "b:1", topic: payload, payload: payload, payloadByteCount: payload.count)
            }[...]
            try body(&letters)
        }
    }

    @Test func lettersInFinishedFilesAreNotWrittenAgainWhenTheDiskIsFull() throws {
        let file = file(byteLimit: 8_000)
        let payloads = (0..<20).map { Array("payload \(100 + $0)".utf8) }
        try file.append(payloads[0])
        // The disk is full when the second file is begun.
        let second = directory.file("dead/000000000002.ndjson")
        try FileManager.default.createSymbolicLink(atPath: second, withDestinationPath: "/dev/full")
        // The process does not know of it: it has the first open.
        try withLetters(Array(payloads[1...])) { letters in
            for _ in 0..<3 {
                do throws(DeadLetterFailure) { try file.append(&letters) } catch { #expect(error.isOutOfSpace) }
            }
            #expect((1..<19).contains(letters.count) && lines().count == 20 - letters.count)
            unlink(second)
            try file.append(&letters)
            #expect(letters.isEmpty)
        }
        #expect(try self.payloads == payloads.map { String(decoding: $0, as: UTF8.self) })
    }

    @Test(.enabled(if: SmallDisk.isPossible)) func aFullDiskTakesAllLettersOrNone() throws {
        let disk = try SmallDisk(byteCount: 128 << 10)
        let file = DeadLetterFile(path: disk.path + "/dead", clock: clock)
        let payloads = [[0x61]] + (0..<6).map { [UInt8](repeating: 0x62 + $0, count: 30_000) }
        func stored() throws -> [[UInt8]] {
            let reader = try DeadLetterReader(path: disk.path + "/dead", selection: .init())
            var found: [[UInt8]] = []
            while let letter = try reader.next() { found.append(letter.letter.payload) }
            return found
        }
        try withLetters(payloads) { letters in
            for _ in 0..<20 {
                let error = #expect(throws: DeadLetterFailure.self) { try file.append(&letters) }
                #expect(error?.isOutOfSpace == true && letters.count == 7)
            }
            #expect(try stored().isEmpty)
            try disk.grow(to: 4 << 20)
            try file.append(&letters)
        }
        #expect(try stored() == payloads)
    }

    @Test func aRemovedFileIsNotWrittenOn() throws {
        let file = file()
        try file.append(Array("first".utf8))
        unlink(directory.file("dead/000000000001.ndjson"))
        for index in 0..<3 { try file.append(Array("later \(index)".utf8)) }
        #expect(try names == ["000000000002.ndjson"])
        #expect(try payloads == ["later 0", "later 1", "later 2"])
        try FileManager.default.removeItem(atPath: directory.file("dead"))
        try file.append(Array("last".utf8))
        #expect(try payloads == ["last"])
    }

    @Test func marksWithoutLettersGoAndTheirNumberIsNotUsedAgain() throws {
        try file().append(Array("first".utf8))
        let letter = directory.file("dead/000000000001.ndjson")
        let reader = try DeadLetterReader(path: directory.file("dead"), selection: .init())
        let stored = try #require(try reader.next())
        try reader.promiseMark(stored)
        reader.mark(stored)
        try reader.saveMarks()
        unlink(letter)
        try file().append(Array("first".utf8))
        #expect(try names == ["000000000002.ndjson"])
        #expect(try DeadLetterReader(path: directory.file("dead"), selection: .init()).next()?.isReplayed == false)
    }
}

extension DeadLetterFile {
    func append(
        _ payload: [UInt8], topic: String = "a/\"b\"", broker: String = "b:1", reason: RejectReason = .undecodable, byteCount: Int? = nil
    ) throws {
        try Array(topic.utf8).withUnsafeBytes { topic in
            try payload.withUnsafeBytes {
                var letters = [
                    DeadLetter(
                        rejection: Rejection(reason, "why"), broker: broker, topic: topic, payload: $0,
                        payloadByteCount: byteCount ?? payload.count)
                ][...]
                try append(&letters)
                #expect(letters.isEmpty)
            }
        }
    }
}

/// A disk of a few kilobytes; only root can have one.
private final class SmallDisk {
    private let directory: TemporaryDirectory
    var path: String { directory.path }

    static let isPossible = (try? SmallDisk(byteCount: 64 << 10)) != nil

    init(byteCount: Int) throws {
        directory = try TemporaryDirectory()
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=\(byteCount)") == 0 else { throw POSIXError(.EPERM) }
    }

    deinit { umount2(directory.path, Int32(MNT_DETACH)) }

    func grow(to byteCount: Int) throws {
        guard mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), "size=\(byteCount)") == 0 else { throw POSIXError(.EPERM) }
    }
}
