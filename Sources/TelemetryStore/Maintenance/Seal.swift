import Telemetry
import TelemetryCodec

/// Window and grace over → one segment, duplicates and surplus versions gone, state durable.
///
/// 1. the head is flushed; 2. segments that no delivery task has, and none is reading by intent, are merged into one, unless the disk
/// is full; 3. the record says sealed. Late rows of a sealed partition make a new head, and the same steps run again for them. A crash
/// between the steps leaves an open partition that is sealed at the next pass.
extension Maintenance {
    func sealDue(_ table: TableCore, _ index: Int, _ attempts: inout Attempts) throws(StoreError) {
        let now = clock.now()
        let due = table.lock.reading {
            table.partitions.values.filter { partition in
                guard table.end(of: partition.id) + table.options.sealAfter <= now else { return false }
                return partition.hasUnflushedRows || partition.record.sealedThrough < partition.lastFlush
            }
        }
        for partition in due.sorted(by: { $0.id < $1.id }) where isRipe(partition, table) {
            let merges = mayMerge(attempts)
            try attempts.run { () throws(StoreError) in try seal(partition, table, index, merges: merges) }
        }
    }

    /// Late rows are gathered for the grace period before they are sealed again, so that a trickle does not make a segment a second.
    private func isRipe(_ partition: Partition, _ table: TableCore) -> Bool {
        let now = clock.now()
        return table.lock.reading {
            guard partition.record.sealedThrough > 0, let head = partition.head, partition.frozen == nil,
                partition.record.sealedThrough == partition.lastFlush
            else { return true }
            return head.created + table.options.sealAfter <= now
        }
    }

    private func seal(_ partition: Partition, _ table: TableCore, _ index: Int, merges: Bool) throws(StoreError) {
        // Twice when a flush had failed before: the frozen head first, then what came after it. Not for ever: rows may keep coming.
        for _ in 0..<2 where table.lock.reading({ partition.hasUnflushedRows }) { try flush(partition, of: table) }
        var problem: StoreError?
        do throws(StoreError) {
            if merges { try mergeWhole(partition, table, index) }
        } catch {
            // A damaged segment stays as it is, and is reported; the window is sealed all the same. On a full disk too: once it is
            // delivered it may be dropped, and that makes room.
            guard error.code == .corruption || error.code == .diskFull else { throw error }
            problem = error
        }
        var record = partition.record
        record.sealedThrough = partition.lastFlush
        try write(record, of: partition, table)
        log.count { $0.seals += 1 }
        if let problem { throw problem }
    }

    /// Durable before it is visible.
    func write(_ record: PartitionRecord, of partition: Partition, _ table: TableCore) throws(StoreError) {
        let encoded = record.encoded
        try storing { () throws(FileError) in
            try encoded.withBytes { (bytes) throws(FileError) in
                try fileSystem.replace(partition.directory + "/state", with: bytes)
            }
        }
        table.lock.writing { partition.record = record }
    }

    /// Makes one segment of all that may be merged; of what lies between damaged ones if there are any, which are reported at the end.
    private func mergeWhole(_ partition: Partition, _ table: TableCore, _ index: Int) throws(StoreError) {
        var damage: StoreError?
        while let run = table.lock.reading({ partition.mergeable.last { $0.count > 1 } }) {
            do throws(StoreError) {
                try merge(run, of: partition, table, index)
            } catch {
                // What is damaged is not in the next run.
                guard error.code == .corruption else { throw error }
                damage = damage ?? error
            }
        }
        if let damage { throw damage }
    }

    /// Makes one segment of neighbours. A crash leaves the sources, or the merged one, which covers them by its name.
    func merge(_ sources: ArraySlice<Segment>, of partition: Partition, _ table: TableCore, _ index: Int) throws(StoreError) {
        guard sources.count > 1, let first = sources.first, let last = sources.last else { return }
        let flushes = first.footer.flushes.lowerBound...last.footer.flushes.upperBound
        try ensureCheckpoint(covers: flushes.upperBound, table: index)
        let merged: Segment
        do throws(StoreError) {
            merged = try write(merging: sources, flushes: flushes, partition, table)
        } catch {
            let stays = isGone(SegmentName(flushes: flushes), partition) ? sources.damaged(by: error) : sources
            table.lock.writing { partition.unmergeable.formUnion(stays.map(\.footer.flushes)) }
            throw error
        }
        table.lock.writing {
            let position = partition.segments.firstIndex { $0 === first }!
            partition.segments.replaceSubrange(position..<(position + sources.count), with: [merged])
        }
        for source in sources { try storing { () throws(FileError) in try fileSystem.unlink(source.path) } }
    }

    private func write(
        merging sources: ArraySlice<Segment>, flushes: ClosedRange<FlushID>, _ partition: Partition, _ table: TableCore
    ) throws(StoreError) -> Segment {
        let footer = SegmentFooter(
            table: table.number, window: partition.id.window, flushes: flushes,
            lastSequence: sources.map(\.footer.lastSequence).max() ?? 0, hasCommitTimes: table.options.maxVersions > 1)
        var writer: SegmentWriter
        do throws(FileError) {
            writer = try SegmentWriter(
                fileSystem: fileSystem, directory: partition.directory, footer: footer, fieldNames: table.registry.fieldNames,
                compressionLevel: table.compressionLevel)
        } catch {
            throw error.storeError
        }
        var merger = try SegmentMerger(Array(sources), fieldNames: table.registry.fieldNames)
        while let device = try merger.nextDevice() { try write(device, &merger, table.options.maxVersions, to: &writer) }
        do throws(FileError) { _ = try writer.finish() } catch { throw error.storeError }
        return try Segment(
            path: partition.directory + "/" + SegmentName(flushes: flushes).text, fileSystem: fileSystem, cache: table.cache)
    }

    /// A frame's worth of rows at a time: memory does not grow with the length of the window.
    private func write(
        _ device: SegmentMerger.Device, _ merger: inout SegmentMerger, _ maxVersions: Int, to writer: inout SegmentWriter
    ) throws(StoreError) {
        var rows = RowBuffer()
        var isMore = true
        try storing { () throws(FileError) in
            try device.name.withRawBytes { (name) throws(FileError) in
                try writer.begin(bucket: device.bucket, name: name, newRowCount: device.newRowCount)
            }
        }
        while isMore {
            isMore = try merger.readRows(atLeast: SegmentFormat.rowsPerFrame, into: &rows)
            rows.coalesce(maxVersions: maxVersions)
            try storing { () throws(FileError) in try writer.appendFull(&rows, isLast: !isMore) }
        }
    }
}

extension ArraySlice<Segment> {
    /// Those that the error of a merge says are damaged: the one it names, or, when that is none of them, all.
    fileprivate func damaged(by error: StoreError) -> ArraySlice<Segment> {
        guard error.code == .corruption else { return [] }
        guard let index = firstIndex(where: { $0.path == error.position?.file }) else { return self }
        return self[index...index]
    }
}
