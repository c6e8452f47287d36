import CZlib
import NIOCore

/// Packs one answer with gzip (RFC 1952), piece by piece.
///
/// `@unchecked Sendable`: one piece at a time; zlib's streams know nothing of each other.
final class GzipPacker: @unchecked Sendable {
    enum Level: Int32 {
        /// Rows of numbers shrink to a sixth, and a core packs them faster than a network takes them.
        case fastest = 1
        /// For what is packed once and sent often.
        case smallest = 9
    }

    private static let stepByteCount = 64 << 10

    private let stream: UnsafeMutablePointer<z_stream>

    /// Nil: no memory.
    init?(_ level: Level = .fastest) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 16: with a gzip header and trailer. 8: zlib's own default of memory, 256 KiB in all.
        let code = deflateInit2_(
            stream, level.rawValue, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// What there is to send, which may be nothing: a little is kept back until more comes.
    ///
    /// - Parameters:
    ///   - piece: less than 4 GiB.
    ///   - isLast: nothing is kept back, and nothing may follow.
    func pack(_ piece: ByteBuffer, isLast: Bool) -> ByteBuffer {
        var packed = ByteBuffer()
        piece.withUnsafeReadableBytes { bytes in
            stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: Bytef.self).baseAddress)
            stream.pointee.avail_in = UInt32(bytes.count)
            // With room to write, zlib fails only when the stream was used wrongly; it is done when it leaves room.
            var isFull = true
            while isFull { isFull = step(into: &packed, flush: isLast ? Z_FINISH : Z_NO_FLUSH) }
        }
        return packed
    }

    /// - Returns: whether the room was filled.
    private func step(into packed: inout ByteBuffer, flush: Int32) -> Bool {
        packed.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.stepByteCount) { space in
            stream.pointee.next_out = space.bindMemory(to: Bytef.self).baseAddress
            stream.pointee.avail_out = UInt32(Self.stepByteCount)
            let code = deflate(stream, flush)
            precondition(code != Z_STREAM_ERROR, "a gzip stream was used after its end")
            return Self.stepByteCount - Int(stream.pointee.avail_out)
        }
        return stream.pointee.avail_out == 0
    }
}
