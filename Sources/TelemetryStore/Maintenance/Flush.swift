import Telemetry
import TelemetryCodec

/// Head → segment.
///
/// 1. under the lock the head is frozen and given a flush number; new rows go to a new head; 2. the segment is written (see
/// `SegmentWriter`); 3. under the lock the segment takes the frozen head's place. A crash before 2 is complete replays the rows from
/// the log; after it the segment's `lastSequence` keeps them out of the replay. A failure leaves the frozen head, readable, for the
/// next pass.
extension Maintenance {
    func flush(_ partition: Partition, of table: TableCore) throws(StoreError) {
        let frozen = table.lock.writing { () -> Partition.Frozen? in
            if partition.frozen == nil, let head = partition.head {
                partition.frozen = .init(head: head, flush: table.nextFlush, lastSequence: table.appliedSequence)
                partition.head = nil
                table.nextFlush += 1
            }
            return partition.frozen
        }
        guard let frozen else { return }
        // A segment must not know readings that the log could still lose.
        if options.durability != .fsync { try log.sync() }
        try makeDirectory(of: partition, table)
        let segment = try write(frozen, partition, table)
        table.lock.writing {
            partition.segments.append(segment)
            partition.flushedSequence = frozen.lastSequence
            partition.frozen = nil
            for entry in frozen.head.entries { table.states.markFlushed(entry.device, entry.newRowCount) }
        }
        log.count { $0.flushes += 1 }
    }

    private func makeDirectory(of partition: Partition, _ table: TableCore) throws(StoreError) {
        guard !partition.isOnDisk else { return }
        try storing { () throws(FileError) in
            try fileSystem.createDirectory(partition.directory)
            try fileSystem.syncDirectory(table.directory)
        }
        table.lock.writing { partition.isOnDisk = true }
    }

    private func write(_ frozen: Partition.Frozen, _ partition: Partition, _ table: TableCore) throws(StoreError) -> Segment {
        let footer = SegmentFooter(
            table: table.number, window: partition.id.window, flushes: frozen.flush...frozen.flush, lastSequence: frozen.lastSequence,
            hasCommitTimes: table.options.maxVersions > 1)
        let path = partition.directory + "/" + SegmentName(flushes: footer.flushes).text
        try storing { () throws(FileError) in
            var writer = try SegmentWriter(
                fileSystem: fileSystem, directory: partition.directory, footer: footer, fieldNames: table.registry.fieldNames,
                compressionLevel: table.compressionLevel)
            var rows = RowBuffer()
            for device in devicesInKeyOrder(frozen.head, table) {
                try device.name.withRawBytes { (name) throws(FileError) in
                    let newRowCount = frozen.head.entry(of: device.number)!.newRowCount
                    try writer.begin(bucket: device.bucket, name: name, newRowCount: newRowCount)
                }
                try write(device.number, of: frozen.head, table.options.maxVersions, through: &rows, to: &writer)
            }
            _ = try writer.finish()
        }
        return try Segment(path: path, fileSystem: fileSystem, cache: table.cache)
    }

    /// Newest chunks first, a frame's worth of rows at a time: a device with a big head takes little more memory than others.
    private func write(
        _ device: UInt32, of head: Head, _ maxVersions: Int, through rows: inout RowBuffer, to writer: inout SegmentWriter
    ) throws(FileError) {
        let chunks = head.chunks(of: device, times: .min ... .max).sorted { $0.maxTime > $1.maxTime }
        let groups = disjointGroups(chunks.map { $0.minTime...$0.maxTime })
        rows.removeAll()
        for group in groups {
            for chunk in chunks[group] {
                let start = rows.rows.count
                chunk.read(times: .min ... .max, wanted: nil, rank: Partition.frozenRank, into: &rows)
                rows.reverseIfRising(from: start)
            }
            let isLast = group.upperBound == chunks.count
            guard isLast || rows.rows.count >= SegmentFormat.rowsPerFrame else { continue }
            rows.sortNewestFirst()
            rows.coalesce(maxVersions: maxVersions)
            try writer.appendFull(&rows, isLast: isLast)
        }
    }

    private struct KeyedDevice {
        var number: UInt32
        var bucket: Int
        var name: [UInt8]
    }

    private func devicesInKeyOrder(_ head: Head, _ table: TableCore) -> [KeyedDevice] {
        var devices = table.registry.readingNames { names in
            head.entries.map { entry in
                KeyedDevice(
                    number: entry.device, bucket: Int(names.buckets[Int(entry.device)]),
                    name: names.devices.withName(entry.device) { Array($0) })
            }
        }
        devices.sort { a, b in
            a.bucket != b.bucket ? a.bucket < b.bucket : a.name.withRawBytes { a in b.name.withRawBytes { compareBytes(a, $0) < 0 } }
        }
        return devices
    }
}
