import TelemetryCodec

/// Walks the rows section of a log record. Source: docs/format/log.md.
struct LoggedRows {
    struct Row {
        /// The table's number of the device.
        var device: UInt64
        /// µs since the epoch.
        var time: Int64
        /// Encoded cells, a slice of the section.
        var cells: UnsafeRawBufferPointer
    }

    private var cursor: ByteCursor
    private let base: Int64
    private var remaining: Int

    init(_ rows: UnsafeRawBufferPointer, count: Int, base: Int64) {
        cursor = ByteCursor(rows)
        self.base = base
        remaining = count
    }

    /// - Returns: nil behind the last row.
    /// - Throws: when the section is shorter or longer than its rows.
    mutating func next() throws(CodecError) -> Row? {
        guard remaining > 0 else {
            guard cursor.isAtEnd else { throw .malformed }
            return nil
        }
        remaining -= 1
        let device = try cursor.varint()
        let time = base &+ (try cursor.zigzag())
        return Row(device: device, time: time, cells: try cursor.slice(Int(try cursor.fixed(UInt32.self))))
    }
}
