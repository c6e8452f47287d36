import Telemetry
import TelemetryCodec

/// Rows of some segments, for one thread.
package final class PartitionScan {
    package struct Field: Sendable, Equatable {
        package var name: String
        /// All types that occur.
        package var types: [FieldType]
    }

    /// Rows of one device, newest first, at most 4 096 and about 4 MiB of strings and binaries; the newest version of each cell only.
    package struct Chunk: Sendable {
        package var device: String
        package var bucket: Int
        package var times: [Timestamp] = []
        /// Row-major, in the order of `fields`.
        package var cells: [Cell] = []
        /// Arena of string and binary cells.
        package var bytes: [UInt8] = []
    }

    /// Fields that occur, by name.
    package let fields: [Field]
    /// Upper bound of the rows to come.
    package let rowCount: Int

    private static let rowsPerChunk = 4_096
    private var merger: SegmentMerger
    private let columns: [UInt32: Int]
    private var rows = RowBuffer()
    private let bucket: Int?
    private var device: (name: String, bucket: Int)?
    private var position = 0
    /// The device has rows behind those in `rows`.
    private var isMore = false

    /// - Parameters:
    ///   - times: only rows of these; nil: all.
    ///   - bucket: only devices of this; nil: all.
    init(_ segments: [Segment], times: Range<Timestamp>? = nil, bucket: Int? = nil) throws(StoreError) {
        var types: [UInt32: (name: String, bits: UInt8)] = [:]
        for segment in segments {
            for field in try segment.index().fields { types[field.number, default: (field.name, 0)].bits |= field.types }
        }
        let ordered = types.sorted { $0.value.name < $1.value.name }
        fields = ordered.map { entry in
            Field(name: entry.value.name, types: FieldType.allCases.filter { entry.value.bits & (1 << $0.rawValue) != 0 })
        }
        columns = Dictionary(uniqueKeysWithValues: ordered.enumerated().map { ($1.key, $0) })
        rowCount = segments.reduce(0) { $0 + $1.footer.rowCount }
        merger = try SegmentMerger(segments, times: times.map { $0.lowerBound.microseconds...($0.upperBound.microseconds - 1) })
        self.bucket = bucket
    }

    /// Nil at the end.
    package func next() throws(StoreError) -> Chunk? {
        while position == rows.rows.count {
            if !isMore {
                guard let next = try nextDevice() else { return nil }
                device = (String(decoding: next.name, as: UTF8.self), next.bucket)
            }
            rows.removeAll()
            isMore = try merger.readRows(atLeast: PartitionScan.rowsPerChunk, into: &rows)
            rows.coalesce(maxVersions: 1)
            position = 0
        }
        var chunk = Chunk(device: device!.name, bucket: device!.bucket)
        let end = min(position + PartitionScan.rowsPerChunk, rows.rows.count)
        while position < end, chunk.bytes.count < RowBuffer.bytesPerPass {
            append(rows.rows[position], to: &chunk)
            position += 1
        }
        return chunk
    }

    private func nextDevice() throws(StoreError) -> SegmentMerger.Device? {
        while let next = try merger.nextDevice() {
            guard let bucket, next.bucket != bucket else { return next }
            if next.bucket > bucket { return nil }
        }
        return nil
    }

    private func append(_ row: RowBuffer.Row, to chunk: inout Chunk) {
        chunk.times.append(Timestamp(microseconds: row.time))
        let start = chunk.cells.count
        chunk.cells.append(contentsOf: repeatElement(.absent, count: fields.count))
        for entry in rows.cells(of: row) {
            guard let column = columns[entry.field] else { continue }
            var cell = entry.cell
            if let type = cell.type, type.isBytes {
                let offset = chunk.bytes.count
                chunk.bytes.append(contentsOf: rows.bytes[cell.byteRange])
                cell = .bytes(type, offset: offset, count: cell.byteCount)
            }
            chunk.cells[start + column] = cell
        }
    }
}
