import CZlib
import NIOCore

/// Unpacks gzip (RFC 1952), all members of it, into memory that is bounded whatever the input says.
enum Gunzip {
    enum Failure: Error {
        /// Not gzip, damaged, or cut short.
        case malformed
        case tooLarge
    }

    /// Bytes that one step unpacks at most.
    private static let stepByteCount = 64 << 10

    /// - Parameter limit: bytes of the result; never more than a step beyond it is unpacked.
    static func unpack(_ packed: UnsafeRawBufferPointer, limit: Int) throws(Failure) -> ByteBuffer {
        var stream = z_stream()
        // 16: a gzip header and trailer, nothing else.
        guard inflateInit2_(&stream, 16 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { throw .malformed }
        defer { inflateEnd(&stream) }
        stream.next_in = UnsafeMutablePointer(mutating: packed.bindMemory(to: Bytef.self).baseAddress)
        // A body's limit is far below 4 GiB.
        stream.avail_in = UInt32(clamping: packed.count)
        var result = ByteBuffer()
        while true {
            let code = step(&stream, into: &result)
            guard result.readableBytes <= limit else { throw .tooLarge }
            switch code {
            case Z_OK: continue
            case Z_STREAM_END where stream.avail_in == 0: return result
            // Another member follows.
            case Z_STREAM_END: guard inflateReset(&stream) == Z_OK else { throw .malformed }
            // Z_BUF_ERROR: nothing left to read before the end.
            default: throw .malformed
            }
        }
    }

    private static func step(_ stream: inout z_stream, into result: inout ByteBuffer) -> Int32 {
        var code = Z_OK
        result.writeWithUnsafeMutableBytes(minimumWritableBytes: stepByteCount) { space in
            stream.next_out = space.bindMemory(to: Bytef.self).baseAddress
            stream.avail_out = UInt32(stepByteCount)
            code = inflate(&stream, Z_NO_FLUSH)
            return stepByteCount - Int(stream.avail_out)
        }
        return code
    }
}
