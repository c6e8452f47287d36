import Telemetry

/// What deliveries do between two passes.
extension Maintenance {
    /// Changes the record of a partition. Nothing when it is gone.
    func update(_ id: PartitionID, of table: TableCore, _ change: (inout PartitionRecord) -> Void) throws(StoreError) {
        try turn { () throws(StoreError) in
            guard let partition = try partition(id, of: table) else { return }
            var record = partition.record
            change(&record)
            guard record != partition.record else { return }
            try makeDirectory(of: partition, table)
            try write(record, of: partition, table)
        }
    }

    /// Twice when a flush had failed before: the frozen head first, then what came after it.
    func flush(_ id: PartitionID, of table: TableCore) throws(StoreError) {
        for _ in 0..<2 {
            try turn { () throws(StoreError) in
                guard let partition = try partition(id, of: table) else { return }
                if table.lock.reading({ partition.hasUnflushedRows }) { try flush(partition, of: table) }
            }
        }
    }

    private func partition(_ id: PartitionID, of table: TableCore) throws(StoreError) -> Partition? {
        if let failure = log.failure { throw failure }
        guard !isClosed else { throw StoreError(.closed, "the store is closed") }
        return table.lock.reading { table.partitions[id.window] }
    }
}
