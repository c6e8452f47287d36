/// What stands before a page: sizes, counts, encodings.
///
/// Source: PageHeader of parquet.thrift.
struct PageHeader: Equatable {
    var type: PageType?
    /// Of the body, levels included.
    var byteCount = 0
    var compressedByteCount = 0
    var checksum: UInt32?
    /// Nulls included.
    var valueCount = 0
    var encoding: ParquetEncoding?
    /// The number in the file, for messages.
    var encodingNumber: Int32 = 0
    /// DataPage V1.
    var levelEncoding = ParquetEncoding.rle.rawValue
    /// DataPage V2.
    var definitionLevelByteCount = 0
    var repetitionLevelByteCount = 0
    var isCompressed = true

    /// - Throws: `ParquetError.malformed`, also when the bytes end before the header does.
    init(decoding reader: inout ThriftReader) throws(ParquetError) {
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: self.type = PageType(rawValue: try reader.int32(type))
            case 2: byteCount = try reader.count(type)
            case 3: compressedByteCount = try reader.count(type)
            case 4: checksum = UInt32(truncatingIfNeeded: try reader.int32(type))
            case 5: try decodeData(&reader)
            case 7: try decodeDictionary(&reader)
            case 8: try decodeDataV2(&reader)
            default: try reader.skip(type)
            }
        }
        encoding = ParquetEncoding(rawValue: encodingNumber)
    }

    private mutating func decodeData(_ reader: inout ThriftReader) throws(ParquetError) {
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: valueCount = try reader.count(type)
            case 2: encodingNumber = try reader.int32(type)
            case 3: levelEncoding = try reader.int32(type)
            default: try reader.skip(type)
            }
        }
    }

    private mutating func decodeDictionary(_ reader: inout ThriftReader) throws(ParquetError) {
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: valueCount = try reader.count(type)
            case 2: encodingNumber = try reader.int32(type)
            default: try reader.skip(type)
            }
        }
    }

    private mutating func decodeDataV2(_ reader: inout ThriftReader) throws(ParquetError) {
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: valueCount = try reader.count(type)
            case 4: encodingNumber = try reader.int32(type)
            case 5: definitionLevelByteCount = try reader.count(type)
            case 6: repetitionLevelByteCount = try reader.count(type)
            case 7: isCompressed = try reader.boolean(type)
            default: try reader.skip(type)
            }
        }
    }
}

extension ThriftReader {
    /// An integer that counts something.
    fileprivate mutating func count(_ type: ThriftType) throws(ParquetError) -> Int {
        let value = try int32(type)
        guard value >= 0 else { throw ParquetError(.malformed, "a page header says \(value) where something is counted") }
        return Int(value)
    }
}
