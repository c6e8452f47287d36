import CZlib

/// Packs with zlib, as clients do.
enum Gzip {
    static func pack(_ text: String) -> [UInt8] {
        var input = Array(text.utf8)
        var output = [UInt8](repeating: 0, count: input.count / 100 + 1_024)
        var stream = z_stream()
        precondition(
            deflateInit2_(
                &stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
        defer { deflateEnd(&stream) }
        let count = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
                (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
                precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
                return Int(stream.total_out)
            }
        }
        return Array(output[..<count])
    }

    /// Unpacks one whole gzip text; nil for anything else, text behind its end included.
    static func unpack(_ packed: [UInt8]) -> String? {
        var input = packed
        var output: [UInt8] = []
        var stream = z_stream()
        precondition(inflateInit2_(&stream, 16 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
        defer { inflateEnd(&stream) }
        let code = input.withUnsafeMutableBufferPointer { input -> Int32 in
            (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
            var code = Z_OK
            while code == Z_OK {
                var step = [UInt8](repeating: 0, count: 1 << 16)
                let count = step.withUnsafeMutableBufferPointer { step in
                    (stream.next_out, stream.avail_out) = (step.baseAddress, UInt32(step.count))
                    code = inflate(&stream, Z_NO_FLUSH)
                    return step.count - Int(stream.avail_out)
                }
                output += step[..<count]
            }
            return code
        }
        guard code == Z_STREAM_END, stream.avail_in == 0 else { return nil }
        return String(decoding: output, as: UTF8.self)
    }
}
