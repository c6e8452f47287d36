import Telemetry
import TelemetryCodec

/// A chunk as the cache keeps it: header, then all sections decompressed behind each other; random access to a piece.
///
/// Does not own the raw bytes: the caller keeps their `Bytes` alive (`withExtendedLifetime`; the last mention of an object may free it).
/// Source: docs/format/column-chunk.md.
struct ColumnChunk {
    private enum Values {
        case stream(StreamReader)
        case decimal(StreamReader, exponent: Int, DecimalExceptions)
        case numbers(codes: StreamReader, entries: StreamReader)
        case each(lengths: StreamReader, content: Range<Int>)
        case dictionary(codes: StreamReader, lengths: StreamReader, content: Range<Int>)
    }

    private let presence: Presence
    private let values: Values
    private let pieceCount: Int

    /// Number of rows that have a value.
    var presentCount: Int { presence.presentCount }

    /// How the values are stored, for people.
    var encoding: String {
        switch values {
        case .stream(let stream): "\(stream.mode)"
        case .decimal(let stream, let exponent, _): "decimal \(exponent) \(stream.mode)"
        case .each: "bytes"
        case .numbers: "dictionary"
        case .dictionary: "dictionary"
        }
    }

    /// Stored bytes to raw bytes.
    /// - Throws: before anything is allocated when the sizes are implausible.
    static func decompress(_ stored: UnsafeRawBufferPointer) throws(CodecError) -> Bytes {
        var cursor = ByteCursor(stored)
        _ = try cursor.countedBytes()
        let headerEnd = cursor.offset
        let sections = try cursor.slice(cursor.remaining)
        let sectionByteCount = try SectionReader.rawByteCount(sections)
        return try Bytes(count: headerEnd + sectionByteCount) { (raw) throws(CodecError) in
            raw.copyMemory(from: UnsafeRawBufferPointer(rebasing: stored[..<headerEnd]))
            try SectionReader.read(sections, into: UnsafeMutableRawBufferPointer(rebasing: raw[headerEnd...]))
        }
    }

    /// A column of a frame with `rowCount` rows in `pieceCount` pieces.
    init(_ raw: UnsafeRawBufferPointer, type: FieldType, rowCount: Int, pieceCount: Int) throws(CodecError) {
        try self.init(raw, rowCount: rowCount, pieceCount: pieceCount, type: type)
    }

    /// The times of a frame.
    init(times raw: UnsafeRawBufferPointer, rowCount: Int, pieceCount: Int) throws(CodecError) {
        try self.init(raw, rowCount: rowCount, pieceCount: pieceCount, type: .integer)
    }

    private init(_ raw: UnsafeRawBufferPointer, rowCount: Int, pieceCount: Int, type: FieldType) throws(CodecError) {
        guard rowCount >= 0, rowCount <= ColumnFormat.maximumRowCount, pieceCount >= 0, pieceCount <= rowCount else { throw .malformed }
        var sections = ByteCursor(raw)
        var header = ByteCursor(try sections.countedBytes())
        self.pieceCount = pieceCount
        presence = try Presence(header: &header, sections: &sections, rowCount: rowCount)
        values = try Self.values(type, presence.presentCount, pieceCount, &header, &sections)
        guard header.isAtEnd, sections.isAtEnd else { throw .malformed }
    }

    private static func values(
        _ type: FieldType, _ count: Int, _ pieceCount: Int, _ header: inout ByteCursor, _ sections: inout ByteCursor
    ) throws(CodecError) -> Values {
        switch type {
        case .integer, .boolean:
            return .stream(try StreamReader(header: &header, sections: &sections, count: count, pieceCount: pieceCount))
        case .double:
            switch DoubleCoding(rawValue: try header.byte()) {
            case nil: throw .malformed
            case .bits: return .stream(try StreamReader(header: &header, sections: &sections, count: count, pieceCount: pieceCount))
            case .decimal:
                let exponent = Int(try header.byte())
                guard exponent <= Decimal.maximumExponent else { throw .malformed }
                let exceptions = try DecimalExceptions(header: &header, sections: &sections, count: count)
                let stream = try StreamReader(header: &header, sections: &sections, count: count, pieceCount: pieceCount)
                return .decimal(stream, exponent: exponent, exceptions)
            case .dictionary:
                let entryCount = try header.count(limit: count)
                let entries = try StreamReader(header: &header, sections: &sections, count: entryCount, pieceCount: 1)
                let codes = try StreamReader(header: &header, sections: &sections, count: count, pieceCount: pieceCount)
                return .numbers(codes: codes, entries: entries)
            }
        case .string, .binary:
            switch BytesCoding(rawValue: try header.byte()) {
            case nil: throw .malformed
            case .each:
                let (lengths, content) = try content(count, &header, &sections)
                return .each(lengths: lengths, content: content)
            case .dictionary:
                let entryCount = try header.count(limit: count)
                let (lengths, content) = try content(entryCount, &header, &sections)
                let codes = try StreamReader(header: &header, sections: &sections, count: count, pieceCount: pieceCount)
                return .dictionary(codes: codes, lengths: lengths, content: content)
            }
        }
    }

    /// Lengths of byte strings, then the strings behind each other: a range of the raw chunk.
    private static func content(
        _ count: Int, _ header: inout ByteCursor, _ sections: inout ByteCursor
    ) throws(CodecError) -> (StreamReader, Range<Int>) {
        let byteCount = try header.count(limit: sections.bytes.count)
        let lengths = try StreamReader(header: &header, sections: &sections, count: count, pieceCount: 0)
        guard lengths.mode == .offset else { throw .malformed }
        let start = sections.offset
        _ = try sections.slice(byteCount)
        return (lengths, start..<(start + byteCount))
    }

    // MARK: - Rows

    /// Values of `rows`, which lie in the piece with ordinal `piece` that starts at row `pieceStart`.
    func decode(rows: Range<Int>, piece: Int, pieceStart: Int, into run: inout ColumnRun) throws(CodecError) {
        guard pieceStart >= 0, pieceStart <= rows.lowerBound, rows.upperBound <= presence.rowCount, piece >= 0, piece < pieceCount else {
            throw .malformed
        }
        let start = presence.position(of: rows.lowerBound)
        let end = presence.kind == .everyRow ? rows.upperBound : presence.position(of: rows.upperBound)
        let pieceStart = pieceStart == rows.lowerBound ? start : presence.position(of: pieceStart)
        run.reset(count: rows.count, presentCount: end - start)
        guard start < end else { return run.isPresent.withUnsafeMutableBufferPointer { fillPresence(rows, $0) } }
        try decodeValues(start..<end, piece: piece, pieceStart: pieceStart, into: &run)
        if !run.isEveryRowPresent { spread(rows, into: &run) }
    }

    private func fillPresence(_ rows: Range<Int>, _ output: UnsafeMutableBufferPointer<UInt8>) {
        if let base = output.baseAddress { presence.fill(rows, base) }
    }

    private func decodeValues(_ positions: Range<Int>, piece: Int, pieceStart: Int, into run: inout ColumnRun) throws(CodecError) {
        switch values {
        case .stream(let stream):
            try decode(stream, positions, piece, pieceStart, into: &run.bits)
        case .decimal(let stream, let exponent, let exceptions):
            try decode(stream, positions, piece, pieceStart, into: &run.bits)
            run.bits.withUnsafeMutableBufferPointer { bits in
                Decimal.decode(UnsafeMutableBufferPointer(rebasing: bits[..<positions.count]), exponent: exponent)
                exceptions.apply(positions, bits)
            }
        case .numbers(let codes, let entries):
            run.reserveEntries(entries.count)
            try decode(entries, 0..<entries.count, 0, 0, into: &run.entries)
            try decode(codes, positions, piece, pieceStart, into: &run.bits)
            try Self.look(up: positions.count, entries.count, &run)
        case .each(let lengths, let content):
            try decode(lengths, positions, 0, 0, into: &run.bits)
            let skipped = lengths.sum(before: positions.lowerBound)
            guard skipped <= UInt64(content.count) else { throw .malformed }
            try Self.locate(&run.bits, positions.count, from: content.lowerBound + Int(skipped), end: content.upperBound)
        case .dictionary(let codes, let lengths, let content):
            run.reserveEntries(lengths.count)
            try decode(lengths, 0..<lengths.count, 0, 0, into: &run.entries)
            try Self.locate(&run.entries, lengths.count, from: content.lowerBound, end: content.upperBound)
            try decode(codes, positions, piece, pieceStart, into: &run.bits)
            try Self.look(up: positions.count, lengths.count, &run)
        }
    }

    /// Codes become entries.
    private static func look(up count: Int, _ entryCount: Int, _ run: inout ColumnRun) throws(CodecError) {
        var greatest: UInt64 = 0
        for index in 0..<count { greatest = max(greatest, run.bits[index]) }
        guard greatest < UInt64(entryCount) else { throw .malformed }
        run.bits.withUnsafeMutableBufferPointer { bits in
            run.entries.withUnsafeBufferPointer { entries in
                for index in 0..<count { bits[index] = entries[Int(truncatingIfNeeded: bits[index])] }
            }
        }
    }

    private func decode(
        _ stream: StreamReader, _ positions: Range<Int>, _ piece: Int, _ pieceStart: Int, into output: inout [UInt64]
    ) throws(CodecError) {
        try output.withUnsafeMutableBufferPointer { (buffer) throws(CodecError) in
            guard let base = buffer.baseAddress else { return }
            try stream.decode(positions, piece: piece, pieceStart: pieceStart, into: base)
        }
    }

    /// Lengths become offset << 32 | length of strings that lie behind each other.
    private static func locate(_ lengths: inout [UInt64], _ count: Int, from start: Int, end: Int) throws(CodecError) {
        var offset = start
        for index in 0..<count {
            let length = lengths[index]
            guard length <= UInt64(end - offset) else { throw .malformed }
            lengths[index] = UInt64(offset) << 32 | length
            offset += Int(length)
        }
    }

    /// Moves the values, which lie behind each other, to their rows.
    private func spread(_ rows: Range<Int>, into run: inout ColumnRun) {
        run.isPresent.withUnsafeMutableBufferPointer { fillPresence(rows, $0) }
        var source = run.presentCount
        for row in stride(from: rows.count - 1, through: 0, by: -1) where run.isPresent[row] != 0 {
            source -= 1
            run.bits[row] = run.bits[source]
        }
    }

    /// Times of `rows`.
    /// - Parameter first: time of the piece's first row.
    func decodeTimes(rows: Range<Int>, piece: Int, pieceStart: Int, first: Int64, into times: inout [Int64]) throws(CodecError) {
        guard pieceStart >= 0, pieceStart <= rows.lowerBound, rows.upperBound <= presence.presentCount, case .stream(let stream) = values,
            piece >= 0, piece < pieceCount
        else { throw .malformed }
        if times.count != rows.count { times = [Int64](repeating: 0, count: rows.count) }
        try times.withUnsafeMutableBufferPointer { (buffer) throws(CodecError) in
            guard let base = buffer.baseAddress else { return }
            let words = UnsafeMutableRawPointer(base).assumingMemoryBound(to: UInt64.self)
            try stream.decode(rows, piece: piece, pieceStart: pieceStart, into: words)
            for index in 0..<rows.count { base[index] &+= first }
        }
    }
}
