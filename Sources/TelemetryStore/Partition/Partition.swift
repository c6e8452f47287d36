import Telemetry

/// All rows of a table in one time window: segments on disk, at most one head being flushed, at most one being filled.
///
/// `@unchecked Sendable`: every property is read under the table's read lock and changed under its write lock.
final class Partition: @unchecked Sendable {
    /// A head that takes no more rows and is on its way to a segment.
    struct Frozen {
        var head: Head
        /// Number of the attempt under way, or of one that failed and may have left a segment. Nil: no segment has these rows.
        var flush: FlushID?
        /// Newest reading applied to the table when the head was frozen.
        var lastSequence: SequenceNumber
    }

    let id: PartitionID
    let directory: String
    /// In order of flushes.
    var segments: [Segment] = []
    /// Flushes of segments that a merge found damaged, or may have left its own segment over: it covers them by its name, so they must
    /// not become part of another. Until the next start, which finds out.
    var unmergeable: Set<ClosedRange<FlushID>> = []
    var frozen: Frozen?
    var head: Head?
    var record = PartitionRecord()
    /// True once the directory and its entry are durable.
    var isOnDisk = false
    /// Readings up to this are in segments; replay leaves them out.
    var flushedSequence: SequenceNumber = 0

    init(id: PartitionID, directory: String) {
        self.id = id
        self.directory = directory
    }

    var lastFlush: FlushID { segments.last?.footer.flushes.upperBound ?? 0 }
    var rowCount: Int {
        segments.reduce(0) { $0 + $1.footer.newRowCount } + (frozen?.head.newRowCount ?? 0) + (head?.newRowCount ?? 0)
    }
    var segmentByteCount: Int { segments.reduce(0) { $0 + $1.byteCount } }
    var headByteCount: Int { (frozen?.head.byteCount ?? 0) + (head?.byteCount ?? 0) }
    var hasUnflushedRows: Bool { frozen != nil || head != nil }
    /// Oldest reading that only the log holds durably.
    var firstUnflushedSequence: SequenceNumber? { frozen?.head.firstSequence ?? head?.firstSequence }

    /// Takes the head out of reach of new rows, unless one is waiting so already.
    func freezeLocked(_ lastSequence: SequenceNumber) -> Frozen? {
        if frozen == nil, let head {
            frozen = Frozen(head: head, lastSequence: lastSequence)
            self.head = nil
        }
        return frozen
    }

    /// True when every task has what it is to have.
    func isDelivered(by scopes: [String: DeliveryScope]) -> Bool {
        scopes.allSatisfy { name, scope in
            let delivered = record.tasks[name, default: .init()].deliveredThrough
            switch scope {
            case .everything: return !hasUnflushedRows && delivered >= lastFlush
            case .through(let bounds): return delivered >= min(bounds[id] ?? 0, lastFlush)
            }
        }
    }

    func state(scopes: [String: DeliveryScope]) -> PartitionState {
        if record.sealedThrough == 0 { return .open }
        if scopes.isEmpty { return .sealed }
        if isDelivered(by: scopes) { return .delivered }
        return scopes.keys.contains { record.tasks[$0]?.delivering != nil } ? .delivering : .sealed
    }

    /// Everything that may hold rows of the device in `times`, by reference: readable after the lock is gone.
    func sources(device: UInt32, times: ClosedRange<Int64>) -> PartitionSources {
        var heads: [PartitionSources.HeadSource] = []
        for (head, rank) in [(frozen?.head, Partition.frozenRank), (head, Partition.headRank)] {
            guard let head else { continue }
            let chunks = head.chunks(of: device, times: times)
            if !chunks.isEmpty { heads.append(.init(head: head, chunks: chunks, rank: rank)) }
        }
        let relevant = segments.filter { $0.footer.minTime <= times.upperBound && $0.footer.maxTime >= times.lowerBound }
        return PartitionSources(segments: relevant, heads: heads)
    }

    /// Ranks of heads lie above those of all segments (32 bits each, see `RowBuffer.Row.order`).
    static let frozenRank: UInt64 = 0xFFFF_FFFE
    static let headRank: UInt64 = 0xFFFF_FFFF
}

/// A consistent view of one device in one partition; holds what it reads.
struct PartitionSources {
    struct HeadSource {
        /// Keeps the chunks' memory.
        var head: Head
        var chunks: [HeadChunkView]
        var rank: UInt64
    }

    var segments: [Segment]
    var heads: [HeadSource]

    var isEmpty: Bool { segments.isEmpty && heads.isEmpty }

    /// Adds all physical rows of the device in `times`; unsorted.
    func read(
        bucket: Int, device: UnsafeRawBufferPointer, times: ClosedRange<Int64>, wanted: FieldSet?, into buffer: inout RowBuffer
    ) throws(StoreError) {
        for segment in segments {
            guard let entry = try segment.find(bucket: bucket, device: device) else { continue }
            for piece in entry.pieces where piece.overlaps(times) {
                try segment.read(piece, times: times, wanted: wanted, into: &buffer)
            }
        }
        for source in heads {
            for chunk in source.chunks { chunk.read(times: times, wanted: wanted, rank: source.rank, into: &buffer) }
        }
    }
}
