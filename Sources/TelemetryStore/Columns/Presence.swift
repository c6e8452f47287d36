import TelemetryCodec

/// Rows that have a value, read from a raw chunk. Positions count the rows present before a row.
struct Presence {
    let kind: PresenceKind
    let rowCount: Int
    let presentCount: Int
    /// Bitmap: bit r & 7 of byte r >> 3. Runs: start u16, end u16 (exclusive) each.
    private let bytes: UnsafeRawBufferPointer

    init(header: inout ByteCursor, sections: inout ByteCursor, rowCount: Int) throws(CodecError) {
        guard let kind = PresenceKind(rawValue: try header.byte()) else { throw .malformed }
        self.kind = kind
        self.rowCount = rowCount
        switch kind {
        case .everyRow:
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            presentCount = rowCount
        case .bitmap:
            bytes = try sections.slice((rowCount + 7) / 8)
            guard rowCount & 7 == 0 || bytes[rowCount >> 3] >> UInt8(rowCount & 7) == 0 else { throw .malformed }
            presentCount = Self.bitCount(bytes, before: rowCount)
        case .runs:
            let runCount = try header.count(limit: rowCount)
            bytes = try sections.slice(runCount * 4)
            presentCount = try Self.checkedRunTotal(bytes, runCount, rowCount)
        }
    }

    private static func checkedRunTotal(_ bytes: UnsafeRawBufferPointer, _ runCount: Int, _ rowCount: Int) throws(CodecError) -> Int {
        var (previousEnd, total) = (0, 0)
        for index in 0..<runCount {
            let run = run(bytes, index)
            guard run.start >= previousEnd, run.end > run.start, run.end <= rowCount else { throw .malformed }
            total += run.end - run.start
            previousEnd = run.end
        }
        return total
    }

    private static func run(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> (start: Int, end: Int) {
        let start = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt16.self))
        let end = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4 + 2, as: UInt16.self))
        return (Int(start), Int(end))
    }

    private static func bitCount(_ bytes: UnsafeRawBufferPointer, before row: Int) -> Int {
        var (count, offset) = (0, 0)
        while offset + 8 <= row >> 3 {
            count += bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).nonzeroBitCount
            offset += 8
        }
        while offset < row >> 3 {
            count += bytes[offset].nonzeroBitCount
            offset += 1
        }
        if row & 7 != 0 { count += (bytes[offset] & ((1 << UInt8(row & 7)) - 1)).nonzeroBitCount }
        return count
    }

    /// Number of present rows before `row`, which is at most the row count.
    func position(of row: Int) -> Int {
        switch kind {
        case .everyRow: return row
        case .bitmap: return Self.bitCount(bytes, before: row)
        case .runs:
            var count = 0
            for index in 0..<(bytes.count / 4) {
                let run = Self.run(bytes, index)
                guard run.start < row else { break }
                count += min(run.end, row) - run.start
            }
            return count
        }
    }

    /// 1 or 0 for each of `rows`.
    func fill(_ rows: Range<Int>, _ output: UnsafeMutablePointer<UInt8>) {
        switch kind {
        case .everyRow: output.update(repeating: 1, count: rows.count)
        case .bitmap: for row in rows { output[row - rows.lowerBound] = bytes[row >> 3] >> UInt8(row & 7) & 1 }
        case .runs:
            output.update(repeating: 0, count: rows.count)
            for index in 0..<(bytes.count / 4) {
                let run = Self.run(bytes, index)
                guard run.start < rows.upperBound else { break }
                let (start, end) = (max(run.start, rows.lowerBound), min(run.end, rows.upperBound))
                if start < end { (output + (start - rows.lowerBound)).update(repeating: 1, count: end - start) }
            }
        }
    }
}
