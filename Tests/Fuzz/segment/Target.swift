import FuzzSupport
import Telemetry
import TelemetryCodec

@testable import TelemetryStore

/// A segment among the files of a sound store, or one of its parts as it is before compression: read or refused, never trusted.
///
/// The last byte of the input says which.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let kind = count > 0 ? data![count - 1] : 0
    var input = FuzzInput(data, count)
    switch kind >> 1 {
    case 1: input.bytes.withUnsafeBytes(readSparseIndex)
    case 2: input.bytes.withUnsafeBytes { readPage(try? BlockIndexPage($0)) }
    case 3: input.bytes.withUnsafeBytes { readBlock($0, hasCommitTimes: input.isResealed) }
    case 4: input.bytes.withUnsafeBytes { readPage(try? FrameIndexPage($0)) }
    case 5: input.bytes.withUnsafeBytes(readChunk)
    case 6: input.bytes.withUnsafeBytes(readStatistics)
    default:
        if input.isResealed { Reseal.segment(&input.bytes) }
        GoldenStore.exercise(GoldenStore.disk(replacing: ".seg", by: input.bytes), dumping: ".seg")
    }
    return 0
}

private func readSparseIndex(_ bytes: UnsafeRawBufferPointer) {
    guard let index = try? SparseIndex(bytes) else { return }
    _ = Array("line/1".utf8).withUnsafeBytes { index.page(bucket: 3, name: $0) }
}

private func readPage(_ page: (any IndexPage)?) {
    guard var page else { return }
    _ = Array("line/1".utf8).withUnsafeBytes { try? page.find(bucket: 3, name: $0) }
    for position in 0..<min(page.deviceCount, 64) { _ = try? page.entry(position) }
}

private func readBlock(_ bytes: UnsafeRawBufferPointer, hasCommitTimes: Bool) {
    var rows = RowBuffer()
    let fields: [Int32] = [0, 1, 2, -1, 4, 5, 6, 7]
    do throws(CodecError) {
        try BlockDecoder.decode(
            bytes, hasCommitTimes: hasCommitTimes, fields: fields, times: .min ... .max, order: { 1 << 32 | UInt64($0) },
            into: &rows)
        rows.sortNewestFirst()
        rows.coalesce(maxVersions: 1)
    } catch {
        return
    }
}

/// Type, row count (u16), piece count (u16), then a stored column chunk: what a directory says of it, and the bytes that it names.
private func readChunk(_ bytes: UnsafeRawBufferPointer) {
    var cursor = ByteCursor(bytes)
    guard let type = FieldType(rawValue: (try? cursor.byte()) ?? 0), let rows = try? Int(cursor.fixed(UInt16.self)),
        let pieces = try? Int(cursor.fixed(UInt16.self)), let stored = try? cursor.slice(cursor.remaining),
        let raw = try? ColumnChunk.decompress(stored)
    else { return }
    let rowCount = min(rows, SegmentFormat.rowsPerFrame)
    guard let chunk = try? ColumnChunk(raw.buffer, type: type, rowCount: rowCount, pieceCount: pieces) else { return }
    var run = ColumnRun()
    var times: [Int64] = []
    for (start, end, piece, pieceStart) in [(0, rowCount, 0, 0), (rowCount / 2, rowCount, 0, rowCount / 3), (1, 2, pieces - 1, 1)]
    where start <= end && end <= rowCount {
        guard (try? chunk.decode(rows: start..<end, piece: piece, pieceStart: pieceStart, into: &run)) != nil else { continue }
        for row in 0..<(end - start) {
            guard type.isBytes, let bits = run[row] else { continue }
            // What a reader slices without looking.
            precondition(Cell(type: type, bits: bits).byteRange.upperBound <= raw.count)
        }
        _ = try? chunk.decodeTimes(rows: start..<end, piece: piece, pieceStart: pieceStart, first: 5, into: &times)
    }
    _ = chunk.encoding
}

private func readStatistics(_ bytes: UnsafeRawBufferPointer) {
    for piece in 0..<4 { _ = try? PieceStatistics.decode(bytes, piece: piece, columnCount: 3) }
}

@_cdecl("fuzz_segment_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    runFuzzer(count, arguments, fuzz)
}
