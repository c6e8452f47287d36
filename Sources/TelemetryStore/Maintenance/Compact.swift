import Telemetry

/// Many flushes → few segments: a window that is flushed often while it is open must not make each read look into hundreds of files.
///
/// The newest `fanIn` segments are merged, and older ones with them as long as those are no bigger than what is merged already. Sizes
/// left alone at least double, so there are never more than about `fanIn` + log₂(flushes) of them, and no row is written more often.
/// A damaged segment stays where it is, and what lies before and behind it is merged by itself.
/// Source: the size ratio of RocksDB's universal compaction.
extension Maintenance {
    func compactDue(_ table: TableCore, _ index: Int, _ attempts: inout Attempts) throws(StoreError) {
        let candidates = table.lock.reading { table.partitions.values.filter { $0.segments.count >= Partition.fanIn } }
        for partition in candidates.sorted(by: { $0.id < $1.id }) where mayMerge(attempts) {
            try attempts.run { () throws(StoreError) in
                while let run = table.lock.reading({ partition.compactable }) { try merge(run, of: partition, table, index) }
            }
        }
    }
}

extension Partition {
    /// Segments that are worth a merge.
    static let fanIn = 8

    /// Runs of neighbours that may be merged: no delivery task has them, none is reading, and no merge met damage in them.
    var mergeable: [ArraySlice<Segment>] {
        guard !record.tasks.values.contains(where: \.isDelivering) else { return [] }
        let delivered = record.tasks.values.map(\.deliveredThrough).max() ?? 0
        return segments.split { $0.footer.flushes.lowerBound <= delivered || unmergeable.contains($0.footer.flushes) }
    }

    /// The newest neighbours of falling size in a run, if there are enough; nil otherwise.
    var compactable: ArraySlice<Segment>? {
        mergeable.reversed().lazy.map { run in
            var start = run.endIndex - 1
            var rowCount = run[start].footer.rowCount
            while start > run.startIndex, run[start - 1].footer.rowCount <= rowCount {
                start -= 1
                rowCount += run[start].footer.rowCount
            }
            return run[start...]
        }.first { $0.count >= Partition.fanIn }
    }
}
