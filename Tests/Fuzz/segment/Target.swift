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
    case 2: input.bytes.withUnsafeBytes(readPage)
    case 3: input.bytes.withUnsafeBytes { readBlock($0, hasCommitTimes: input.isResealed) }
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

private func readPage(_ bytes: UnsafeRawBufferPointer) {
    guard let page = try? IndexPage(bytes) else { return }
    _ = Array("line/1".utf8).withUnsafeBytes { try? page.find(bucket: 3, name: $0) }
    for position in 0..<min(page.deviceCount, 64) { _ = try? page.entry(position) }
}

private func readBlock(_ bytes: UnsafeRawBufferPointer, hasCommitTimes: Bool) {
    var rows = RowBuffer()
    let fields: [Int32] = [0, 1, 2, -1, 4, 5, 6, 7]
    do throws(CodecError) {
        try BlockDecoder.decode(
            bytes, hasCommitTimes: hasCommitTimes, fields: fields, times: .min ... .max, rank: 1, into: &rows)
        rows.sortNewestFirst()
        rows.coalesce(maxVersions: 1)
    } catch {
        return
    }
    // What the decoder accepts, the layout of the same bytes explains.
    precondition((try? BlockLayout(bytes, hasCommitTimes: hasCommitTimes)) != nil)
}

@_cdecl("fuzz_segment_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    runFuzzer(count, arguments, fuzz)
}
