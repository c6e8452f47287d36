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

    /// Runs of neighbours that may be merged: no merge met damage in them, and no task's rows begin or end within.
    var mergeable: [ArraySlice<Segment>] {
        // How far a task reads that only says that it reads, nobody knows.
        let unknown = record.tasks.values.filter { $0.delivering == .unknown }.map(\.deliveredThrough).min()
        let bounds = record.tasks.values.flatMap(\.bounds)
        return segments.split { segment in
            unmergeable.contains(segment.footer.flushes) || unknown.map { segment.footer.flushes.upperBound > $0 } ?? false
        }.flatMap { $0.cut(at: bounds) }
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

extension PartitionRecord.Task {
    /// Flushes behind which rows begin that it does not have, or that an intent leaves to the next.
    fileprivate var bounds: [FlushID] {
        guard case .through(let flush) = delivering else { return [deliveredThrough] }
        return [deliveredThrough, flush]
    }
}

extension ArraySlice<Segment> {
    fileprivate func cut(at bounds: [FlushID]) -> [ArraySlice<Segment>] {
        var runs: [ArraySlice<Segment>] = []
        var start = startIndex
        for index in indices.dropFirst() {
            let (before, after) = (self[index - 1].footer.flushes.upperBound, self[index].footer.flushes.lowerBound)
            guard bounds.contains(where: { $0 >= before && $0 < after }) else { continue }
            runs.append(self[start..<index])
            start = index
        }
        if start < endIndex { runs.append(self[start...]) }
        return runs
    }
}
