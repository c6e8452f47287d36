import CZlib

/// Packs whole bodies that are made once and sent often.
enum Gzip {
    /// The bytes as one member of gzip (RFC 1952), as small as zlib can.
    static func pack(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        // 16: with gzip's header and trailer.
        let opened = deflateInit2_(
            &stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(opened == Z_OK, "zlib cannot begin: \(opened)")
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(bytes.count)))
        return [UInt8](unsafeUninitializedCapacity: bound) { space, count in
            bytes.withUnsafeBufferPointer { source in
                stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                stream.avail_in = UInt32(source.count)
                stream.next_out = space.baseAddress
                stream.avail_out = UInt32(bound)
                let code = deflate(&stream, Z_FINISH)
                precondition(code == Z_STREAM_END, "zlib did not finish within its own bound: \(code)")
            }
            count = bound - Int(stream.avail_out)
        }
    }
}
