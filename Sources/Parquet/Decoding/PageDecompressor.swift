import CBrotli
import CLz4
import CSnappy
import CZlib
import TelemetryCodec

/// Unpacks the bodies of pages, whatever the codec; the only place that knows these libraries. One owner, one thread at a time.
///
/// Source: parquet-format, Compression.md.
struct PageDecompressor: ~Copyable {
    private let zstd = ZstdDecompressor()

    /// Fills `output` exactly.
    ///
    /// - Throws: `CodecError.malformed` when the bytes are damaged or unpack to another number; `ParquetError.unsupported`.
    func decompress(_ source: UnsafeRawBufferPointer, _ codec: Codec, into output: UnsafeMutableRawBufferPointer) throws {
        // Not all libraries take an empty output; every codec may write some bytes for it.
        guard output.count > 0 else { return }
        guard source.count > 0 else { throw CodecError.truncated }
        switch codec {
        case .uncompressed:
            guard source.count == output.count else { throw CodecError.malformed }
            output.copyMemory(from: source)
        case .zstd: try zstd.decompress(source, into: output)
        case .snappy: try Self.snappy(source, output)
        case .gzip: try Self.gzip(source, output)
        case .lz4Raw: try Self.lz4(source, output)
        case .brotli: try Self.brotli(source, output)
        case .lz4: throw ParquetError(.unsupported, "codec LZ4 in the framing of Hadoop, which the format gave up for LZ4_RAW")
        case .lzo: throw ParquetError(.unsupported, "codec LZO")
        }
    }

    private static func snappy(_ source: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) throws(CodecError) {
        var byteCount = 0
        let packed = source.bindMemory(to: CChar.self).baseAddress
        // The length stands in front: it is looked at before anything is written.
        guard snappy_uncompressed_length(packed, source.count, &byteCount) == SNAPPY_OK, byteCount == output.count,
            snappy_uncompress(packed, source.count, output.bindMemory(to: CChar.self).baseAddress, &byteCount) == SNAPPY_OK
        else { throw .malformed }
    }

    private static func lz4(_ source: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) throws(CodecError) {
        let (packed, unpacked) = (source.bindMemory(to: CChar.self), output.bindMemory(to: CChar.self))
        guard let packedCount = Int32(exactly: source.count), let count = Int32(exactly: output.count),
            LZ4_decompress_safe(packed.baseAddress, unpacked.baseAddress, packedCount, count) == count
        else { throw .malformed }
    }

    private static func brotli(_ source: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) throws(CodecError) {
        var byteCount = output.count
        let (packed, unpacked) = (source.bindMemory(to: UInt8.self), output.bindMemory(to: UInt8.self))
        let result = BrotliDecoderDecompress(source.count, packed.baseAddress, &byteCount, unpacked.baseAddress)
        guard result == BROTLI_DECODER_RESULT_SUCCESS, byteCount == output.count else { throw .malformed }
    }

    /// All members of it: a page may have several (RFC 1952).
    private static func gzip(_ source: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) throws(CodecError) {
        var stream = z_stream()
        // 32: a header of gzip or of zlib, which some writers took for it.
        guard inflateInit2_(&stream, 32 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { throw .malformed }
        defer { inflateEnd(&stream) }
        stream.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: Bytef.self).baseAddress)
        stream.next_out = output.bindMemory(to: Bytef.self).baseAddress
        // Both are below 2 GiB: a page header has no more bits for them.
        stream.avail_in = UInt32(clamping: source.count)
        stream.avail_out = UInt32(clamping: output.count)
        while inflate(&stream, Z_FINISH) == Z_STREAM_END {
            if stream.avail_in == 0 { break }
            guard inflateReset(&stream) == Z_OK else { throw .malformed }
        }
        guard stream.avail_out == 0, stream.avail_in == 0 else { throw .malformed }
    }
}
