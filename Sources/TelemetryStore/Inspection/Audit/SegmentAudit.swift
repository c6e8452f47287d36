import Telemetry
import TelemetryCodec

/// Holds what stands in a segment to what its index and its footer say. Rows and devices are handed in in the segment's order.
struct SegmentAudit {
    private let footer: SegmentFooter
    /// Names the devices and fields that checkpoint and log define; nil when they are damaged themselves.
    private let names: NameRegistry?
    private let bucketCount: Int
    /// µs, exclusive at the end.
    private let window: (start: Int64, end: Int64)
    private var deviceCount = 0
    private var rowCount = 0
    private var newRowCount = 0
    private var minTime = Int64.max
    private var maxTime = Int64.min
    private var lastKey: (bucket: Int, name: [UInt8])?

    init(_ segment: Segment, of core: TableCore, knowsNames: Bool) {
        footer = segment.footer
        names = knowsNames ? core.registry : nil
        bucketCount = core.options.buckets
        let id = PartitionID(window: footer.window)
        window = (core.start(of: id).microseconds, core.end(of: id).microseconds)
    }

    /// - Returns: what is wrong with the fields; empty when they are right.
    func problems(of fields: [SparseIndex.Field]) -> [String] {
        guard let known = names?.fieldNames else { return [] }
        return fields.compactMap { field in
            guard Int(field.number) < known.count else { return "field number \(field.number) is not known to checkpoint or log" }
            guard known[Int(field.number)] == field.name else {
                return "field \(field.number) is '\(field.name)' here, and '\(known[Int(field.number)])' in checkpoint and log"
            }
            return nil
        }
    }

    /// Takes the next device of the index.
    /// - Returns: what is wrong with it.
    mutating func problem(ofDevice name: UnsafeRawBufferPointer, bucket: Int, _ entry: DeviceEntry) -> String? {
        defer { lastKey = (bucket, Array(name)) }
        deviceCount += 1
        rowCount &+= entry.rowCount
        newRowCount &+= entry.newRowCount
        if let lastKey, lastKey.name.withUnsafeBytes({ compareKeys(lastKey.bucket, $0, bucket, name) }) >= 0 {
            return "it stands behind a device with a greater key"
        }
        if bucket != TelemetryCodec.bucket(of: name, count: bucketCount) { return "it is not of bucket \(bucket)" }
        if entry.newRowCount > entry.rowCount { return "\(entry.newRowCount) of \(entry.rowCount) rows are said to be new" }
        let pieceRows = entry.pieces.reduce(0) { $0 + $1.rowCount }
        return pieceRows == entry.rowCount ? nil : "its pieces hold \(pieceRows) rows, its entry says \(entry.rowCount)"
    }

    /// True when checkpoint or log define the device, or cannot be asked.
    func isKnown(_ name: UnsafeRawBufferPointer) -> Bool { names?.withNames { $0.devices.find(name) } != .some(nil) }

    /// Takes the rows of one piece, newest first.
    /// - Parameter previous: time of the device's row before them.
    /// - Returns: what is wrong with them.
    mutating func problem(
        ofRows rows: ArraySlice<RowBuffer.Row>, in piece: SegmentPiece, behind previous: Int64?
    ) -> String? {
        guard rows.count == piece.rowCount, let newest = rows.first, let oldest = rows.last else {
            return "the piece holds \(rows.count) rows, the index says \(piece.rowCount)"
        }
        minTime = min(minTime, oldest.time)
        maxTime = max(maxTime, newest.time)
        if newest.time != piece.maxTime || oldest.time != piece.minTime {
            return "the piece has times \(oldest.time) to \(newest.time), the index says \(piece.minTime) to \(piece.maxTime)"
        }
        guard oldest.time >= window.start, newest.time < window.end else { return "the piece has rows outside the partition's window" }
        var previous = previous
        for row in rows {
            if let previous, row.time > previous || (row.time == previous && !footer.hasCommitTimes) {
                return "the rows are not in the order of their times"
            }
            previous = row.time
        }
        return nil
    }

    /// Compares the sums with the footer, once everything was handed in.
    /// - Parameter readRows: false when only the index was.
    func problems(readRows: Bool) -> [String] {
        var problems: [String] = []
        func compare(_ what: String, _ found: Int64, _ said: Int64) {
            if found != said { problems.append("\(what): \(found) found, the footer says \(said)") }
        }
        compare("devices", Int64(deviceCount), Int64(footer.deviceCount))
        compare("rows", Int64(rowCount), Int64(footer.rowCount))
        compare("new rows", Int64(newRowCount), Int64(footer.newRowCount))
        if readRows {
            compare("least time", minTime, footer.minTime)
            compare("newest time", maxTime, footer.maxTime)
        }
        return problems
    }
}

extension SegmentPiece {
    /// Where its frame begins in the file.
    var offset: Int {
        switch place {
        case .frame(let directory, _, _): directory.columns[0].offset
        case .block(let reference, _, _): reference.offset
        }
    }
}
