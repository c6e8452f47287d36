import Telemetry

/// TTL over and delivered → the partition's directory goes.
///
/// Oldest first, so that one mark says what is gone. 1. the mark rises and a checkpoint makes it durable; 2. the partition leaves the
/// table, readers that hold its segments read on; 3. files and directory are unlinked. A crash after 1 is completed at the next start.
extension Maintenance {
    func dropDue(_ table: TableCore, _ index: Int) throws(StoreError) {
        let expiry = table.expiry(now: clock.now())
        while let partition = table.lock.reading({ table.partitions.values.min { $0.id < $1.id } }) {
            let end = table.end(of: partition.id)
            guard end <= expiry, table.lock.reading({ mayDropLocked(partition, table) }) else { return }
            try drop(partition, table, end: end)
        }
    }

    private func mayDropLocked(_ partition: Partition, _ table: TableCore) -> Bool {
        let tasks = table.options.requiredDeliveries
        if tasks.isEmpty || !table.options.retainUntilDelivered { return true }
        return partition.record.sealedThrough > 0 && partition.isDelivered(by: tasks)
    }

    private func drop(_ partition: Partition, _ table: TableCore, end: Timestamp) throws(StoreError) {
        table.lock.writing {
            table.droppedThrough = max(table.droppedThrough, end.microseconds)
            // Late rows that expired in memory: they go with the partition, but they were stored.
            for head in [partition.frozen?.head, partition.head].compactMap({ $0 }) {
                for entry in head.entries { table.states.addFlushedReadings(entry.device, entry.newRowCount) }
            }
            (partition.frozen, partition.head) = (nil, nil)
        }
        try writeCheckpoint()
        table.lock.writing { table.partitions[partition.id.window] = nil }
        if partition.isOnDisk {
            try storing { () throws(FileError) in
                try fileSystem.removeDirectory(partition.directory)
                try fileSystem.syncDirectory(table.directory)
            }
        }
        log.count { $0.droppedPartitions += 1 }
        memoryWasFreed()
    }
}
