import Telemetry

/// TTL over and delivered → the partition's directory goes.
///
/// Oldest first, so that one mark says what is gone. 1. the mark rises and a checkpoint makes it durable; 2. the partitions leave the
/// table, readers that hold their segments read on; 3. files and directories are unlinked. After 1 a crash or a failure is made up for
/// by the next passes. On a full disk the checkpoint takes the place of the reserve, so that expiry can always give space back.
extension Maintenance {
    func dropDue(_ table: TableCore) throws(StoreError) {
        let expiry = table.expiry(now: clock.now())
        guard table.lock.reading({ !dueLocked(table, expiry).isEmpty }) else { return }
        // Looked at again: a late row may have come, which is acked and not delivered. Later ones are refused by the mark.
        let due = table.lock.writing { () -> [Partition] in
            let due = dueLocked(table, expiry)
            if let last = due.last { table.droppedThrough = max(table.droppedThrough, table.end(of: last.id).microseconds) }
            for partition in due { countHeadsLocked(of: partition, table) }
            return due
        }
        guard !due.isEmpty else { return }
        try writeCheckpoint(mayTakeReserve: true)
        table.lock.writing {
            for partition in due {
                table.partitions[partition.id.window] = nil
                if partition.isOnDisk { table.unremoved.insert(partition.directory) }
            }
        }
        log.count { $0.droppedPartitions += due.count }
    }

    /// Step 3, in every pass by itself: whatever the clock says by now, these are dropped.
    /// - Throws: the first error; what could be removed is, the rest is tried again.
    func removeDropped(_ table: TableCore) throws(StoreError) {
        let directories = table.lock.reading { table.unremoved }
        guard !directories.isEmpty else { return }
        var attempts = Attempts()
        for directory in directories.sorted() {
            try attempts.run { () throws(StoreError) in
                try storing { () throws(FileError) in
                    // Somebody may have seen to it.
                    if try fileSystem.exists(directory) { try fileSystem.removeDirectory(directory) }
                }
                table.lock.writing { _ = table.unremoved.remove(directory) }
            }
        }
        try storing { () throws(FileError) in try fileSystem.syncDirectory(table.directory) }
        if let failure = attempts.failure { throw failure }
    }

    /// Oldest first, up to the first that must stay.
    private func dueLocked(_ table: TableCore, _ expiry: Timestamp) -> [Partition] {
        let expired = table.partitions.values.filter { table.end(of: $0.id) <= expiry }.sorted { $0.id < $1.id }
        return Array(expired.prefix { mayDropLocked($0, table) })
    }

    private func mayDropLocked(_ partition: Partition, _ table: TableCore) -> Bool {
        let scopes = table.deliveries
        let isEmpty = partition.segments.isEmpty && !partition.hasUnflushedRows
        if scopes.isEmpty || !table.options.retainUntilDelivered || isEmpty { return true }
        return partition.record.sealedThrough > 0 && partition.isDelivered(by: scopes)
    }

    /// Late rows that expired in memory go with the partition, but they were stored.
    private func countHeadsLocked(of partition: Partition, _ table: TableCore) {
        for head in [partition.frozen?.head, partition.head].compactMap({ $0 }) {
            for entry in head.entries { table.states.markFlushed(entry.device, entry.newRowCount) }
        }
        (partition.frozen, partition.head) = (nil, nil)
    }
}
