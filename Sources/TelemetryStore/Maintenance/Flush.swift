import Telemetry
import TelemetryCodec

/// Head → segment.
///
/// 1. under the lock the head is frozen, new rows go to a new head; 2. it gets a flush number, and the segment is written (see
/// `SegmentWriter`); 3. under the lock the segment takes the frozen head's place. A crash before 2 is complete replays the rows from
/// the log; after it the segment's `lastSequence` keeps them out of the replay. A failure leaves the frozen head, readable, for the
/// next pass, and no file.
extension Maintenance {
    func flush(_ partition: Partition, of table: TableCore) throws(StoreError) {
        guard let frozen = table.lock.writing({ partition.freezeLocked(table.appliedSequence) }) else { return }
        // A segment must not know readings that the log could still lose.
        if options.durability != .fsync { try log.sync() }
        try makeDirectory(of: partition, table)
        let flush = table.lock.writing { number(partition, table) }
        let segment: Segment
        do throws(StoreError) {
            segment = try write(frozen, flush, partition, table)
        } catch {
            if isGone(SegmentName(flushes: flush...flush), partition) { table.lock.writing { partition.frozen?.flush = nil } }
            throw error
        }
        table.lock.writing {
            partition.segments.append(segment)
            partition.flushedSequence = frozen.lastSequence
            partition.frozen = nil
            for entry in frozen.head.entries { table.states.markFlushed(entry.device, entry.newRowCount) }
        }
        log.count { $0.flushes += 1 }
    }

    /// The number of the attempt. One that failed and may have left its segment is made again under its own number: under another, the
    /// rows would be there twice.
    private func number(_ partition: Partition, _ table: TableCore) -> FlushID {
        if let flush = partition.frozen?.flush { return flush }
        defer { table.nextFlush += 1 }
        partition.frozen?.flush = table.nextFlush
        return table.nextFlush
    }

    /// Removes the segment that a failed attempt may have given its name already.
    /// - Returns: false when it may be there, now or after a crash. Why is in the error of the attempt itself, which is reported.
    func isGone(_ name: SegmentName, _ partition: Partition) -> Bool {
        let path = partition.directory + "/" + name.text
        do throws(FileError) {
            if try fileSystem.exists(path) { try fileSystem.unlink(path) }
            try fileSystem.syncDirectory(partition.directory)
            return true
        } catch {
            return false
        }
    }

    func makeDirectory(of partition: Partition, _ table: TableCore) throws(StoreError) {
        guard !partition.isOnDisk else { return }
        try storing { () throws(FileError) in
            try fileSystem.createDirectory(partition.directory)
            try fileSystem.syncDirectory(table.directory)
        }
        table.lock.writing { partition.isOnDisk = true }
    }

    private func write(
        _ frozen: Partition.Frozen, _ flush: FlushID, _ partition: Partition, _ table: TableCore
    ) throws(StoreError) -> Segment {
        let footer = SegmentFooter(
            table: table.number, window: partition.id.window, flushes: flush...flush, lastSequence: frozen.lastSequence,
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

    /// Newest chunks first, a piece's worth of rows or bytes at a time: a device with a big head takes little more memory than others.
    private func write(
        _ device: UInt32, of head: Head, _ maxVersions: Int, through rows: inout RowBuffer, to writer: inout SegmentWriter
    ) throws(FileError) {
        let chunks = head.chunks(of: device, times: .min ... .max).sorted { $0.maxTime > $1.maxTime }
        var merge = PieceMerge(maxTimes: chunks.map(\.maxTime))
        rows.removeAll()
        var isMore = true
        while isMore {
            isMore = merge.readRows(atLeast: SegmentFormat.rowsPerFrame, into: &rows) { index, rows in
                let start = rows.rows.count
                chunks[index].read(times: .min ... .max, wanted: nil, rank: Partition.frozenRank, into: &rows)
                rows.reverseIfRising(from: start)
            }
            rows.coalesce(maxVersions: maxVersions)
            try writer.appendFull(&rows, isLast: !isMore)
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
