import Telemetry
import TelemetryCodec

/// What a numeric column of one piece comes to, so that an aggregate over the whole piece need not decode it.
struct ColumnStatistics: Equatable {
    /// Present values.
    var count = 0
    /// `Cell.bits`, all of the column's type. Newest first: `last` is the first value in the piece.
    var min: UInt64 = 0
    var max: UInt64 = 0
    var sum: UInt64 = 0
    var first: UInt64 = 0
    var last: UInt64 = 0

    init() {}

    /// Nil: not a number among them, or their sum is none: to be decoded.
    init?(type: FieldType, bits: UnsafeBufferPointer<UInt64>) {
        guard let newest = bits.first, let oldest = bits.last else { return }
        (count, first, last) = (bits.count, oldest, newest)
        guard type == .integer ? collectIntegers(bits) : collectDoubles(bits) else { return nil }
    }

    private mutating func collectIntegers(_ bits: UnsafeBufferPointer<UInt64>) -> Bool {
        var (least, greatest, total) = (Int64.max, Int64.min, Int64(0))
        var overflows = false
        for word in bits {
            let value = Int64(bitPattern: word)
            least = Swift.min(least, value)
            greatest = Swift.max(greatest, value)
            let (sum, overflow) = total.addingReportingOverflow(value)
            total = sum
            overflows = overflows || overflow
        }
        (min, max, sum) = (UInt64(bitPattern: least), UInt64(bitPattern: greatest), UInt64(bitPattern: total))
        return !overflows
    }

    private mutating func collectDoubles(_ bits: UnsafeBufferPointer<UInt64>) -> Bool {
        var (least, greatest, total) = (Double.infinity, -Double.infinity, 0.0)
        // Oldest first, as a reader that decodes adds them.
        for index in stride(from: bits.count - 1, through: 0, by: -1) {
            let value = Double(bitPattern: bits[index])
            least = value < least ? value : least
            greatest = value > greatest ? value : greatest
            total += value
        }
        (min, max, sum) = (least.bitPattern, greatest.bitPattern, total.bitPattern)
        return total.isFinite
    }
}

/// The statistics chunk of a frame: for each piece of `rowsPerStatistics` rows and more, each numeric column in the directory's order.
///
/// piece count varint · per piece: ordinal varint · per column: 0 (no value), 1 (to be decoded), or count + 1 varint and five u64. Raw.
enum PieceStatistics {
    /// The numeric columns of a frame, in order.
    static func columns(of keys: [ColumnKey]) -> [(position: Int, type: FieldType)] {
        keys.enumerated().compactMap { position, key in
            guard case .field(_, let type) = key, type == .integer || type == .double else { return nil }
            return (position, type)
        }
    }

    /// True when a piece is long enough for statistics.
    static func hasAny(_ pieces: FramePieces) -> Bool { !ordinals(of: pieces).isEmpty }

    private static func ordinals(of pieces: FramePieces) -> [Int] {
        (0..<pieces.count).filter { pieces.rows(of: $0).count >= SegmentFormat.rowsPerStatistics }
    }

    static func encode(_ columns: [FrameBuilder.Column], pieces: FramePieces, into output: inout RawBuffer) {
        let ordinals = ordinals(of: pieces)
        output.append(varint: ordinals.count)
        // Where each column's values of the next piece begin.
        var cursors = [Int](repeating: 0, count: columns.count)
        for ordinal in ordinals {
            let rows = pieces.rows(of: ordinal)
            output.append(varint: ordinal)
            for (index, column) in columns.enumerated() {
                while cursors[index] < column.rows.count, Int(column.rows[cursors[index]]) < rows.lowerBound { cursors[index] += 1 }
                let start = cursors[index]
                while cursors[index] < column.rows.count, Int(column.rows[cursors[index]]) < rows.upperBound { cursors[index] += 1 }
                column.bits.withUnsafeBufferPointer { bits in
                    let values = UnsafeBufferPointer(rebasing: bits[start..<cursors[index]])
                    encode(ColumnStatistics(type: column.type, bits: values), into: &output)
                }
            }
        }
    }

    private static func encode(_ statistics: ColumnStatistics?, into output: inout RawBuffer) {
        guard let statistics else { return output.append(varint: 1) }
        guard statistics.count > 0 else { return output.append(varint: 0) }
        output.append(varint: statistics.count + 1)
        for bits in [statistics.min, statistics.max, statistics.sum, statistics.first, statistics.last] { output.append(fixed: bits) }
    }

    /// - Returns: per numeric column of the frame; nil for one to be decoded; nil for a piece without statistics.
    static func decode(_ bytes: UnsafeRawBufferPointer, piece ordinal: Int, columnCount: Int) throws(CodecError) -> [ColumnStatistics?]? {
        var cursor = ByteCursor(bytes)
        for _ in 0..<(try cursor.count(limit: SegmentFormat.rowsPerFrame)) {
            let isWanted = try cursor.count(limit: SegmentFormat.rowsPerFrame) == ordinal
            var found: [ColumnStatistics?] = []
            for _ in 0..<columnCount {
                let statistics = try decode(&cursor)
                if isWanted { found.append(statistics) }
            }
            if isWanted { return found }
        }
        return nil
    }

    private static func decode(_ cursor: inout ByteCursor) throws(CodecError) -> ColumnStatistics? {
        let count = try cursor.count(limit: SegmentFormat.rowsPerFrame + 1)
        if count == 1 { return nil }
        var statistics = ColumnStatistics()
        guard count > 1 else { return statistics }
        statistics.count = count - 1
        statistics.min = try cursor.fixed(UInt64.self)
        statistics.max = try cursor.fixed(UInt64.self)
        statistics.sum = try cursor.fixed(UInt64.self)
        statistics.first = try cursor.fixed(UInt64.self)
        statistics.last = try cursor.fixed(UInt64.self)
        return statistics
    }
}
