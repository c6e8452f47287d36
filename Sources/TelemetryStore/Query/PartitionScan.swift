import Telemetry
import TelemetryCodec

/// A sealed partition, or what was added to it since, that a delivery task does not have yet.
package struct DeliverablePartition: Sendable, Equatable {
    package var id: PartitionID
    package var start: Timestamp
    package var end: Timestamp
    /// The task has the flushes up to this.
    package var after: FlushID
    /// Newest flush to deliver. Segments do not cross either bound.
    package var through: FlushID
    /// Rows in those flushes; a row written again is counted again.
    package var rowCount: Int
}

extension Table {
    /// Sealed partitions with segments that `task` does not have, whose window ended before `time`; oldest first.
    package func deliverable(task: String, endingBefore time: Timestamp) -> [DeliverablePartition] {
        core.lock.reading {
            core.partitions.values.sorted { $0.id < $1.id }.compactMap { partition in
                let after = partition.record.tasks[task, default: .init()].deliveredThrough
                let through = partition.record.sealedThrough
                guard core.end(of: partition.id) <= time, through > after else { return nil }
                let segments = partition.segments(after: after, through: through)
                return DeliverablePartition(
                    id: partition.id, start: core.start(of: partition.id), end: core.end(of: partition.id), after: after,
                    through: through, rowCount: segments.reduce(0) { $0 + $1.footer.rowCount })
            }
        }
    }

    /// Durable: the partition shows as `delivering`, and its segments stay as they are until it is delivered.
    package func markDelivering(_ id: PartitionID, task: String) throws(StoreError) {
        try maintenance.update(id, of: core) { $0.tasks[task, default: .init()].isDelivering = true }
    }

    /// Durable and idempotent; never lowers what was said before.
    package func markDelivered(_ id: PartitionID, task: String, through: FlushID) throws(StoreError) {
        try maintenance.update(id, of: core) { record in
            var known = record.tasks[task, default: .init()]
            known.deliveredThrough = max(known.deliveredThrough, through)
            known.isDelivering = false
            record.tasks[task] = known
        }
    }

    /// Reads the flushes (after, through] of a partition, device by device in key order.
    /// - Throws: `.corruption` with file and offset; `.unusable` when the partition is gone or a segment crosses either bound, for then
    ///   the rows asked for cannot be told from others.
    package func scan(_ id: PartitionID, after: FlushID, through: FlushID) throws(StoreError) -> PartitionScan {
        let found = core.lock.reading { () -> (inside: [Segment], touched: Int)? in
            guard let partition = core.partitions[id.window] else { return nil }
            let touched = partition.segments.count { $0.footer.flushes.lowerBound <= through && $0.footer.flushes.upperBound > after }
            return (partition.segments(after: after, through: through), touched)
        }
        guard let found, found.inside.count == found.touched else {
            let what = found == nil ? "is gone" : "has a segment across flush \(after) or \(through)"
            throw StoreError(.unusable, "\(core.directory)/\(core.directoryName(of: id)) \(what)")
        }
        return try PartitionScan(found.inside)
    }
}

extension Partition {
    fileprivate func segments(after: FlushID, through: FlushID) -> [Segment] {
        segments.filter { $0.footer.flushes.lowerBound > after && $0.footer.flushes.upperBound <= through }
    }
}

/// All rows of some segments, for one thread.
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
    private var device: (name: String, bucket: Int)?
    private var position = 0
    /// The device has rows behind those in `rows`.
    private var isMore = false

    init(_ segments: [Segment]) throws(StoreError) {
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
        merger = try SegmentMerger(segments)
    }

    /// Nil at the end.
    package func next() throws(StoreError) -> Chunk? {
        while position == rows.rows.count {
            if !isMore {
                guard let next = try merger.nextDevice() else { return nil }
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
