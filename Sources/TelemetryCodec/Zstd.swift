import CZstd

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
