import Telemetry
import TelemetryCodec

/// Adds up what a table's segments spend their bytes on.
struct UsageMeter {
    private struct Key: Hashable {
        /// The table's number of the field.
        var field: UInt32
        var type: FieldType
    }

    private struct Column {
        var valueCount = 0
        /// A fraction of bytes is left where columns are compressed together.
        var byteCount = 0.0
        var encodings: [String: Int] = [:]
    }

    private var columns: [Key: Column] = [:]
    private var rowCount = 0
    private var (timeBytes, commitTimeBytes) = (0.0, 0.0)
    private var statisticsByteCount = 0
    private var segmentByteCount = 0
    private var footerByteCount = 0
    private var isEstimated = false

    mutating func count(_ rows: borrowing RowBuffer) {
        rowCount += rows.rows.count
        for entry in rows.cells {
            if let type = entry.cell.type { columns[Key(field: entry.field, type: type), default: Column()].valueCount += 1 }
        }
    }

    /// - Parameter share: compressed bytes for each raw byte of the block's frame.
    mutating func add(_ block: BlockLayout, fields: [SparseIndex.Field], share: Double) {
        isEstimated = true
        timeBytes += Double(block.timeByteCount) * share
        commitTimeBytes += Double(block.commitTimeByteCount) * share
        for column in block.columns where column.local < fields.count {
            columns[Key(field: fields[column.local].number, type: column.type), default: Column()].byteCount +=
                Double(column.byteCount) * share
        }
    }

    /// A chunk of a frame.
    /// - Parameter encoding: how a column's values are stored.
    mutating func add(_ chunk: FrameDirectory.Column, fields: [SparseIndex.Field], encoding: String?) {
        switch chunk.key {
        case .times: timeBytes += Double(chunk.byteCount)
        case .commitTimes: commitTimeBytes += Double(chunk.byteCount)
        case .statistics: statisticsByteCount += chunk.byteCount
        case .field(let local, let type):
            guard local < fields.count else { return }
            let key = Key(field: fields[local].number, type: type)
            columns[key, default: Column()].byteCount += Double(chunk.byteCount)
            if let encoding { columns[key, default: Column()].encodings[encoding, default: 0] += chunk.byteCount }
        }
    }

    mutating func add(_ segment: Segment) {
        segmentByteCount += segment.byteCount
        footerByteCount += SegmentFormat.headerByteCount + SegmentFormat.footerByteCount
    }

    /// Columns with the most bytes come first. What no column and no time takes is index.
    func usage(fieldNames: [String]) -> TableUsage {
        var usage = TableUsage()
        usage.rowCount = rowCount
        usage.timeByteCount = Int(timeBytes.rounded())
        usage.commitTimeByteCount = Int(commitTimeBytes.rounded())
        usage.statisticsByteCount = statisticsByteCount
        usage.frameByteCount = footerByteCount
        usage.isEstimated = isEstimated
        for (key, column) in columns {
            let name = Int(key.field) < fieldNames.count ? fieldNames[Int(key.field)] : "field \(key.field)"
            usage.columns.append(
                TableUsage.Column(
                    field: name, type: key.type, valueCount: column.valueCount, byteCount: Int(column.byteCount.rounded()),
                    encodings: column.encodings))
        }
        usage.columns.sort { ($1.byteCount, $0.field, $0.type.rawValue) < ($0.byteCount, $1.field, $1.type.rawValue) }
        usage.indexByteCount = max(0, segmentByteCount - usage.byteCount)
        return usage
    }
}
