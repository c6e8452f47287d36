import Telemetry

/// What delivery tasks ask of a table, and tell it. What they tell is durable: file `state` of each partition.
extension Table {
    package func start(of id: PartitionID) -> Timestamp { core.start(of: id) }
    package func end(of id: PartitionID) -> Timestamp { core.end(of: id) }

    /// Partitions with segments up to `line` that `task` does not have, whose window ended before `time`; oldest first.
    package func deliverable(
        task: String, endingBefore time: Timestamp, line: DeliveryLine = .sealed
    ) -> [DeliverablePartition] {
        core.lock.reading {
            core.partitions.values.sorted { $0.id < $1.id }.compactMap { partition in
                core.end(of: partition.id) <= time ? core.deliverableLocked(partition, task: task, line) : nil
            }
        }
    }

    /// What `flush` would make deliverable, oldest window first.
    package func unflushed() -> [UnflushedPartition] {
        core.lock.reading {
            core.partitions.values.sorted { $0.id < $1.id }.compactMap { partition in
                let heads = [partition.frozen?.head, partition.head].compactMap { $0 }
                guard let since = heads.map(\.created).min() else { return nil }
                let rowCount = heads.reduce(0) { $0 + $1.entries.reduce(0) { $0 + $1.rowCount } }
                return UnflushedPartition(id: partition.id, rowCount: rowCount, since: since)
            }
        }
    }

    /// Makes a segment of what a partition holds in memory. Blocks while maintenance is at work.
    package func flush(_ id: PartitionID) throws(StoreError) { try maintenance.flush(id, of: core) }

    /// Says that rows are about to be delivered: their segments merge with no others until they are.
    /// - Returns: the rows; nil when there are none.
    @discardableResult
    package func markDelivering(
        _ id: PartitionID, task: String, line: DeliveryLine = .sealed
    ) throws(StoreError) -> DeliverablePartition? {
        var rows: DeliverablePartition?
        try maintenance.update(id, of: core) { record in
            rows = core.lock.reading { core.partitions[id.window].flatMap { core.deliverableLocked($0, task: task, line) } }
            guard let rows else { return }
            record.tasks[task, default: .init()].delivering = .through(rows.through)
        }
        return rows
    }

    /// Idempotent; never lowers what was said before.
    package func markDelivered(_ id: PartitionID, task: String, through: FlushID) throws(StoreError) {
        try maintenance.update(id, of: core) { record in
            var known = record.tasks[task, default: .init()]
            known.deliveredThrough = max(known.deliveredThrough, through)
            known.delivering = nil
            record.tasks[task] = known
        }
    }

    /// Draws a line between the rows there are and those to come, for a task that begins: partition by partition, all in memory is flushed.
    /// - Parameter skips: the task is to have only what comes. Otherwise what there is.
    /// - Returns: newest flush before the line, of each partition that has one.
    package func drawLine(task: String, skips: Bool) throws(StoreError) -> [PartitionID: FlushID] {
        var line: [PartitionID: FlushID] = [:]
        for id in partitionIDs {
            try flush(id)
            try maintenance.update(id, of: core) { record in
                let last = core.lock.reading { core.partitions[id.window]?.lastFlush ?? 0 }
                guard last > 0 else { return }
                line[id] = last
                record.tasks[task] = skips ? .init(deliveredThrough: last) : .init(delivering: .through(last))
            }
        }
        return line
    }

    /// Forgets what a task has and does: it is gone, or begins anew.
    package func forget(task: String) throws(StoreError) {
        for id in partitionIDs { try maintenance.update(id, of: core) { $0.tasks[task] = nil } }
    }

    /// No partition is dropped before the task has what `scope` says; nil: none waits for it. Not durable: to be said at each start,
    /// before the first maintenance, or by `TableOptions.requiredDeliveries`.
    package func require(_ scope: DeliveryScope?, of task: String) {
        core.lock.writing { core.deliveries[task] = scope }
    }

    /// Reads the flushes (after, through] of a partition, device by device in key order.
    /// - Parameters:
    ///   - times: only rows of these; nil: all.
    ///   - bucket: only devices of this; nil: all.
    /// - Throws: `.corruption` with file and offset; `.unusable` when the partition is gone or a segment crosses either bound, for then
    ///   the rows asked for cannot be told from others.
    package func scan(
        _ id: PartitionID, after: FlushID, through: FlushID, times: Range<Timestamp>? = nil, bucket: Int? = nil
    ) throws(StoreError) -> PartitionScan {
        let found = core.lock.reading { () -> (inside: [Segment], touched: Int)? in
            guard let partition = core.partitions[id.window] else { return nil }
            let touched = partition.segments.count { $0.footer.flushes.lowerBound <= through && $0.footer.flushes.upperBound > after }
            return (partition.segments(after: after, through: through), touched)
        }
        guard let found, found.inside.count == found.touched else {
            let what = found == nil ? "is gone" : "has a segment across flush \(after) or \(through)"
            throw StoreError(.unusable, "\(core.directory)/\(core.directoryName(of: id)) \(what)")
        }
        return try PartitionScan(found.inside, times: times, bucket: bucket)
    }

    private var partitionIDs: [PartitionID] { core.lock.reading { core.partitions.values.map(\.id).sorted() } }
}

extension TableCore {
    /// Caller holds the lock.
    fileprivate func deliverableLocked(_ partition: Partition, task: String, _ line: DeliveryLine) -> DeliverablePartition? {
        let after = partition.record.tasks[task, default: .init()].deliveredThrough
        let through: FlushID =
            switch line {
            case .sealed: partition.record.sealedThrough
            case .flushed: partition.lastFlush
            case .flush(let flush): min(flush, partition.lastFlush)
            }
        guard through > after else { return nil }
        return DeliverablePartition(
            id: partition.id, start: start(of: partition.id), end: end(of: partition.id), after: after, through: through,
            rowCount: partition.segments(after: after, through: through).reduce(0) { $0 + $1.footer.rowCount })
    }
}

extension Partition {
    fileprivate func segments(after: FlushID, through: FlushID) -> [Segment] {
        segments.filter { $0.footer.flushes.lowerBound > after && $0.footer.flushes.upperBound <= through }
    }
}
