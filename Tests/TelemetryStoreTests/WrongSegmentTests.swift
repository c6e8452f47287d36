import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// Files whose checksums hold, from a writer that got the format wrong.
@Suite("Wrong segments with right checksums")
struct WrongSegmentTests {
    /// A segment with one row of field 1, which its writer calls `name`.
    private func segment(_ disk: SimulatedFileSystem, name: String) throws -> Segment {
        try disk.createDirectory("/wrong")
        let footer = SegmentFooter(table: 0, window: 0, flushes: 1...1, lastSequence: 1, hasCommitTimes: true)
        var writer = try SegmentWriter(
            fileSystem: disk, directory: "/wrong", footer: footer, fieldNames: ["zero", name], compressionLevel: 1)
        try Array("d".utf8).withRawBytes { (device) throws(FileError) in try writer.begin(bucket: 0, name: device, newRowCount: 1) }
        var rows = RowBuffer()
        rows.beginRow(time: 1_000, commitTime: 7, order: 0)
        rows.append(field: 1, cell: .integer(5))
        try writer.append(rows, 0..<1)
        _ = try writer.finish()
        let path = "/wrong/" + SegmentName(flushes: 1...1).text
        return try Segment(path: path, fileSystem: disk, cache: FrameCache(byteBudget: 1 << 20))
    }

    @Test("columns are found in whatever order a directory has them")
    func columnOrder() throws {
        let segment = try segment(SimulatedFileSystem(), name: "one")
        let piece = try #require(try SegmentCursor(segment).current?.entry.pieces.first)
        guard case .frame(let directory, _, _) = piece.place else { return #expect(Bool(false), "no frame") }
        try #require(directory.columns.count == 3)
        var (sound, turned) = (FrameReader(segment, directory, access: .uncached), FrameReader(segment, directory, access: .uncached))
        try sound.load([0, 1, 2])
        try turned.load([2, 0, 1])
        for position in 0..<3 { #expect(Array(sound.bytes(position)) == Array(turned.bytes(position))) }
        withExtendedLifetime((sound, turned)) {}
    }

    @Test("a merge takes no fields that the table does not have, or has by another name", arguments: [["zero"], ["zero", "two"], []])
    func unknownFields(known: [String]) throws {
        let segment = try segment(SimulatedFileSystem(), name: "one")
        _ = try SegmentMerger([segment], fieldNames: ["zero", "one"])
        #expect {
            _ = try SegmentMerger([segment], fieldNames: known)
        } throws: {
            ($0 as? StoreError)?.code == .corruption && "\($0)".contains("'one'")
        }
    }

    @Test("a device without pieces is damage, and nothing that a merge stays at")
    func noPieces() throws {
        let draft = FrameIndexPage.Draft(bucket: 0, name: Array("d".utf8), rowCount: 0, newRowCount: 0)
        _ = FrameIndexPage.encode([draft], frames: []).withBytes { bytes in
            #expect(throws: CodecError.self) {
                var page = try FrameIndexPage(bytes)
                _ = try page.entry(0)
            }
        }
        // Version 1: devices, frames, offset of the entry; bucket, id, rows, new rows, blocks.
        let blocks: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 1, 100, 0, 0, 0]
        _ = blocks.withRawBytes { bytes in
            #expect(throws: CodecError.self) { _ = try BlockIndexPage(bytes).entry(0) }
        }
    }
}
