import TelemetryCodec

/// Walks the records of one log file, and tells what stands behind the last. Changes nothing. Source: docs/format/log.md.
struct LogFileWalk {
    enum End: Equatable {
        /// Zeros to the end of the file.
        case clean
        /// Something, but no valid record: a write that was cut short, where the file is the newest.
        case torn
        /// A valid record stands behind it.
        case damaged(nextRecord: Int)
    }

    let bytes: UnsafeRawBufferPointer
    let header: LogFileHeader
    private(set) var offset = LogFormat.fileHeaderByteCount

    init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        self.bytes = bytes
        header = try LogFileHeader(bytes)
    }

    /// The next record with its place and payload; nil at the first that is not valid.
    mutating func next() -> (offset: Int, record: LogRecordHeader, payload: UnsafeRawBufferPointer)? {
        guard let record = LogRecordHeader(bytes, at: offset, of: header) else { return nil }
        let start = offset + LogFormat.recordHeaderByteCount
        defer { offset += record.byteCount }
        return (offset, record, UnsafeRawBufferPointer(rebasing: bytes[start..<(start + record.payloadByteCount)]))
    }

    /// What stands at `offset`, once `next` returned nil.
    func end() -> End {
        if isZero(from: offset) { return .clean }
        var position = offset + LogFormat.alignment
        while position + LogFormat.recordHeaderByteCount <= bytes.count {
            if LogRecordHeader(bytes, at: position, of: header) != nil { return .damaged(nextRecord: position) }
            position += LogFormat.alignment
        }
        return .torn
    }

    /// Word by word: most of a preallocated file is its unused rest.
    private func isZero(from offset: Int) -> Bool {
        var position = offset
        while position + 8 <= bytes.count {
            if bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) != 0 { return false }
            position += 8
        }
        return position >= bytes.count || !bytes[position...].contains { $0 != 0 }
    }
}
