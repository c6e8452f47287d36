import TelemetryCodec

/// Reads the values of one page, some at a time, in whatever encoding they stand.
enum ValueDecoder {
    case plain(PlainDecoder)
    case hybridBooleans(HybridDecoder)
    case dictionary(DictionaryDecoder)
    case delta(DeltaDecoder)
    case deltaByteArray(DeltaByteArrayDecoder)
    case byteStreamSplit(ByteStreamSplitDecoder)

    /// - Parameter input: the values of the page, levels left out; must outlive the decoder.
    /// - Throws: `ParquetError.unsupported` for an encoding that the type does not have; `CodecError`.
    init(_ encoding: ParquetEncoding, _ input: PaddedBytes, _ stored: StoredType) throws {
        switch (encoding, stored.physicalType) {
        case (.plain, _): self = .plain(PlainDecoder(input, stored.physicalType, byteWidth: stored.byteWidth))
        case (.plainDictionary, _), (.rleDictionary, _): self = .dictionary(try DictionaryDecoder(input))
        case (.rle, .boolean): self = .hybridBooleans(try Self.booleans(input))
        case (.deltaBinaryPacked, .int32), (.deltaBinaryPacked, .int64): self = .delta(try DeltaDecoder(input))
        case (.deltaLengthByteArray, .byteArray):
            self = .deltaByteArray(try DeltaByteArrayDecoder(input, hasPrefixes: false, byteWidth: nil))
        case (.deltaByteArray, .byteArray):
            self = .deltaByteArray(try DeltaByteArrayDecoder(input, hasPrefixes: true, byteWidth: nil))
        case (.deltaByteArray, .fixedLengthByteArray):
            self = .deltaByteArray(try DeltaByteArrayDecoder(input, hasPrefixes: true, byteWidth: stored.byteWidth))
        case (.byteStreamSplit, .int32), (.byteStreamSplit, .float):
            self = .byteStreamSplit(try ByteStreamSplitDecoder(input, stored.physicalType, width: 4))
        case (.byteStreamSplit, .int64), (.byteStreamSplit, .double):
            self = .byteStreamSplit(try ByteStreamSplitDecoder(input, stored.physicalType, width: 8))
        case (.byteStreamSplit, .fixedLengthByteArray):
            self = .byteStreamSplit(try ByteStreamSplitDecoder(input, stored.physicalType, width: stored.byteWidth))
        default: throw ParquetError(.unsupported, "encoding \(encoding) of \(stored.physicalType) values")
        }
    }

    /// Writes the next `count` words, not converted except for those of the dictionary.
    ///
    /// - Throws: `CodecError`; `ParquetError.tooLarge`.
    mutating func decode(
        into words: UnsafeMutablePointer<UInt64>, count: Int, dictionary: UnsafeBufferPointer<UInt64>, arena: inout ByteArena
    ) throws {
        switch self {
        case .plain(var decoder):
            try decoder.decode(into: words, count: count, arena: &arena)
            self = .plain(decoder)
        case .hybridBooleans(var decoder):
            try decoder.decode(into: words, count: count)
            self = .hybridBooleans(decoder)
        case .dictionary(var decoder):
            try decoder.decode(into: words, count: count, dictionary: dictionary)
            self = .dictionary(decoder)
        case .delta(var decoder):
            try decoder.decode(into: words, count: count)
            self = .delta(decoder)
        case .deltaByteArray(var decoder):
            try decoder.decode(into: words, count: count, arena: &arena)
            self = .deltaByteArray(decoder)
        case .byteStreamSplit(var decoder):
            try decoder.decode(into: words, count: count, arena: &arena)
            self = .byteStreamSplit(decoder)
        }
    }

    /// Its words have had their conversion, in the dictionary.
    var isConverted: Bool { if case .dictionary = self { true } else { false } }

    /// RLE of booleans has its byte count in front, unlike that of dictionary numbers.
    private static func booleans(_ input: PaddedBytes) throws(CodecError) -> HybridDecoder {
        var cursor = ByteCursor(input.bytes)
        let byteCount = Int(try cursor.fixed(UInt32.self))
        return try HybridDecoder(try input.suffix(from: 4).prefix(byteCount), width: 1)
    }
}
