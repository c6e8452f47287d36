import Foundation
import Telemetry
import Testing

@testable import Ingest

@Suite struct NewestLettersTests {
    private let directory: TemporaryDirectory
    private let file: DeadLetterFile
    private var path: String { directory.file("dead") }

    init() throws {
        directory = try TemporaryDirectory()
        // Files of 128 KiB each.
        file = DeadLetterFile(path: directory.file("dead"), byteLimit: 1 << 20, fileLimit: 8)
    }

    private func find(limit: Int = 1_000, reason: RejectReason? = nil) throws -> [String] {
        var selection = DeadLetterSelection()
        selection.reason = reason
        return try NewestLetters.find(in: path, selection: selection, limit: limit).map { String(decoding: $0.payload, as: UTF8.self) }
    }

    @Test func newestComeFirstOverAllFiles() throws {
        let padding = String(repeating: "x", count: 40_000)
        for number in 0..<12 { try file.append(Array("\(number) \(padding)".utf8)) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).count > 3)
        #expect(try find().map { $0.prefix(2) } == (0..<12).reversed().map { "\($0) ".prefix(2) })
        #expect(try find(limit: 5).count == 5)
        #expect(try find(limit: 5).first?.hasPrefix("11 ") == true)
    }

    @Test func withoutLettersThereAreNone() throws {
        #expect(try find().isEmpty)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(try find().isEmpty)
    }

    @Test func aReasonSelects() throws {
        for number in 0..<10 { try file.append(Array("\(number)".utf8)) }
        #expect(try find(reason: .late).isEmpty)
        #expect(try find(limit: 2, reason: .undecodable) == ["9", "8"])
    }

    @Test func halfALineAndDamageArePassedOver() throws {
        try file.append(Array("good".utf8))
        let name = path + "/000000000001.ndjson"
        let whole = try Data(contentsOf: URL(filePath: name))
        try (Data("\n\nnothing\n".utf8) + whole + whole.dropLast(3)).write(to: URL(filePath: name))
        #expect(try find() == ["good"])
    }

    /// However much there is, a look reads no more than its limit, and begins with a whole line.
    @Test func aLookIsBounded() throws {
        try file.append(Array("first".utf8))
        let name = path + "/000000000001.ndjson"
        let line = try Data(contentsOf: URL(filePath: name))
        var bytes = line
        while bytes.count < 2 * NewestLetters.byteLimit { bytes += line }
        try bytes.write(to: URL(filePath: name))
        let found = try find(limit: .max)
        #expect(found.count == (NewestLetters.byteLimit - 1) / line.count)
        #expect(Set(found) == ["first"])
    }

    @Test func aFileThatCannotBeReadIsSaid() throws {
        try FileManager.default.createDirectory(atPath: path + "/000000000001.ndjson", withIntermediateDirectories: true)
        #expect(throws: DeadLetterFailure.self) { try find() }
    }
}
