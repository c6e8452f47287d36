import CZstd
import Glibc

/// zstd compression with a reused context. One owner, one thread at a time.
package struct ZstdCompressor: ~Copyable {
    private let context: OpaquePointer
    private let level: Int32

    package init(level: Int32) {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("out of memory for a zstd context") }
        self.context = context
        self.level = level
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Appends one frame that holds `source` (content size included).
    /// - Returns: compressed byte count.
    package func compress(_ source: UnsafeRawBufferPointer, into output: inout RawBuffer) -> Int {
        let bound = ZSTD_compressBound(source.count)
        output.reserve(bound)
        let written = ZSTD_compressCCtx(context, output.base + output.count, bound, source.baseAddress, source.count, level)
        precondition(ZSTD_isError(written) == 0, "zstd cannot fail with a bound-sized output")
        output.count += written
        return written
    }
}

package struct ZstdDecompressor: ~Copyable {
    private let context: OpaquePointer

    package init() {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("out of memory for a zstd context") }
        self.context = context
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Fills `output` exactly.
    /// - Throws: `.malformed` when the frame is damaged or holds another number of bytes.
    package func decompress(_ source: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(CodecError) {
        let written = ZSTD_decompressDCtx(context, output.baseAddress, output.count, source.baseAddress, source.count)
        guard ZSTD_isError(written) == 0, written == output.count else { throw .malformed }
    }
}

/// Small zstd frames that follow one another in a larger whole: no magic number, content size or checksum, for the whole has them.
///
/// A frame of 4 KiB compressed to a quarter would spend 1 % on them.
package struct ZstdSectionCompressor: ~Copyable {
    private let context: OpaquePointer

    package init(level: Int32) {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("out of memory for a zstd context") }
        self.context = context
        let results = [
            ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level),
            ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0),
        ]
        precondition(results.allSatisfy { ZSTD_isError($0) == 0 }, "zstd takes these parameters since 1.4")
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Appends one frame without its magic number.
    /// - Returns: compressed byte count.
    package func compress(_ source: UnsafeRawBufferPointer, into output: inout RawBuffer) -> Int {
        let bound = ZSTD_compressBound(source.count)
        output.reserve(bound)
        let target = output.base + output.count
        let written = ZSTD_compress2(context, target, bound, source.baseAddress, source.count)
        precondition(ZSTD_isError(written) == 0 && written > zstdMagicByteCount, "zstd cannot fail with a bound-sized output")
        let count = written - zstdMagicByteCount
        memmove(target, target + zstdMagicByteCount, count)
        output.count += count
        return count
    }
}

/// Reads what `ZstdSectionCompressor` writes.
package struct ZstdSectionDecompressor: ~Copyable {
    private let decompressor = ZstdDecompressor()
    private var frame = RawBuffer(capacity: 1 << 13)

    package init() {}

    /// Fills `output` exactly.
    /// - Throws: `.malformed` when the frame is damaged or holds another number of bytes.
    package mutating func decompress(_ source: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(CodecError) {
        frame.removeAll()
        frame.append(fixed: UInt32(ZSTD_MAGICNUMBER))
        frame.append(source)
        try frame.withBytes { (bytes) throws(CodecError) in try decompressor.decompress(bytes, into: output) }
    }
}

private let zstdMagicByteCount = 4
