import TelemetryCodec

/// Reads the numbers of dictionary entries, and gives the entries' words.
///
/// Source: parquet-format, Encodings.md, "Dictionary Encoding": a byte of bit width, then the hybrid.
struct DictionaryDecoder {
    private var numbers: HybridDecoder

    init(_ input: PaddedBytes) throws(CodecError) {
        guard let width = input.bytes.first else {
            // A page of nulls may have nothing at all.
            numbers = try HybridDecoder(input, width: 0)
            return
        }
        numbers = try HybridDecoder(try input.suffix(from: 1), width: Int(width))
    }

    /// - Parameter dictionary: the words of the entries.
    mutating func decode(
        into output: UnsafeMutablePointer<UInt64>, count: Int, dictionary: UnsafeBufferPointer<UInt64>
    ) throws(CodecError) {
        try numbers.decode(into: output, count: count)
        let entryCount = UInt64(dictionary.count)
        for index in 0..<count {
            let number = output[index]
            guard number < entryCount else { throw .malformed }
            output[index] = dictionary[Int(number)]
        }
    }
}
