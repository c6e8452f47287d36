import Dialects
import Foundation
import Telemetry
import Testing

@testable import Ingest

@Suite struct DeadLetterFileTests {
    private let directory: TemporaryDirectory
    private let clock = ManualClock(Timestamp(microseconds: 1_764_000_000_000_000))

    init() throws { directory = try TemporaryDirectory() }

    private func append(_ payload: [UInt8], to file: DeadLetterFile, byteCount: Int? = nil, detail: String = "why") throws {
        try Array("a/\"b\"".utf8).withUnsafeBytes { topic in
            try payload.withUnsafeBytes {
                try file.append([
                    DeadLetter(
                        rejection: Rejection(.undecodable, detail), topic: topic, payload: $0, payloadByteCount: byteCount ?? payload.count)
                ])
            }
        }
    }

    @Test func aLineHoldsTimeTopicReasonDetailAndPayload() throws {
        let file = DeadLetterFile(path: directory.file("dead"), clock: clock)
        try append(Array("{\"é\":\n\u{1}}".utf8), to: file)
        #expect(
            directory.lines(of: "dead") == [
                #"{"time":"2025-11-24T16:00:00Z","topic":"a/\"b\"","reason":"undecodable","detail":"why","payload":"{\"é\":\n\u0001}"}"#
            ])
    }

    @Test func bytesThatAreNoTextStandInBase64() throws {
        let file = DeadLetterFile(path: directory.file("dead"), clock: clock)
        for count in 1...5 {
            let payload = [UInt8](repeating: 0xFF, count: count)
            try append(payload, to: file)
            let line = try #require(directory.lines(of: "dead").last)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect((object["payload_base64"] as? String).flatMap { Data(base64Encoded: $0) } == Data(payload))
        }
    }

    @Test func everyByteGivesALineThatIsJSON() throws {
        let file = DeadLetterFile(path: directory.file("dead"), clock: clock)
        for byte in UInt8(0)...127 {
            try append([byte], to: file)
            let line = try #require(directory.lines(of: "dead").last)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(object["payload"] as? String == String(UnicodeScalar(byte)))
        }
    }

    @Test func aLongPayloadIsCutAndItsSizeTold() throws {
        let file = DeadLetterFile(path: directory.file("dead"), clock: clock)
        try append([UInt8](repeating: 0x78, count: 65_536), to: file, byteCount: 2_000_000)
        #expect(directory.lines(of: "dead")[0].contains("\"payload_bytes\":2000000,"))
    }

    @Test func theFileIsBoundedAndKeepsOnePredecessor() throws {
        let file = DeadLetterFile(path: directory.file("dead"), byteLimit: 1_000, clock: clock)
        for index in 0..<100 { try append(Array("payload \(index)".utf8), to: file) }
        let (new, old) = (directory.lines(of: "dead"), directory.lines(of: "dead.1"))
        #expect(new.last?.contains("payload 99") == true)
        #expect(new.joined(separator: "\n").utf8.count <= 1_000)
        #expect(old.joined(separator: "\n").utf8.count <= 1_000)
        #expect(!old.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == ["dead", "dead.1"])
        // A restart goes on where it was.
        try append(Array("later".utf8), to: DeadLetterFile(path: directory.file("dead"), byteLimit: 1_000, clock: clock))
        #expect(directory.lines(of: "dead").last?.contains("later") == true)
    }

    @Test func aFileThatCannotBeWrittenSaysWhy() throws {
        let file = DeadLetterFile(path: directory.file("missing/dead"), clock: clock)
        let error = #expect(throws: DeadLetterFile.Failure.self) { try append([1], to: file) }
        #expect(error?.description.contains("No such file or directory") == true)
        #expect(error?.isOutOfSpace == false)
        let full = #expect(throws: DeadLetterFile.Failure.self) { try append([1], to: DeadLetterFile(path: "/dev/full", clock: clock)) }
        #expect(full?.isOutOfSpace == true)
    }
}
