import Telemetry

/// What a delivery task is to have of a table before partitions may be dropped.
package enum DeliveryScope: Sendable, Equatable {
    case everything
    /// Flushes up to these; of other partitions nothing.
    case through([PartitionID: FlushID])
}

/// Up to where rows of a partition are delivered.
package enum DeliveryLine: Sendable, Equatable {
    /// What was there when the partition was sealed last.
    case sealed
    /// All segments, whether the window is over or not.
    case flushed
    /// This flush: a line that was drawn, see `Table.drawLine`.
    case flush(FlushID)
}

/// Rows of a partition that a delivery task does not have yet.
package struct DeliverablePartition: Sendable, Equatable {
    package var id: PartitionID
    package var start: Timestamp
    package var end: Timestamp
    /// The task has the flushes up to this.
    package var after: FlushID
    /// Newest flush to deliver. Segments do not cross either bound.
    package var through: FlushID
    /// Rows in those flushes; a row written again is counted again.
    package var rowCount: Int
}

/// Rows of a partition that are in memory and the log only.
package struct UnflushedPartition: Sendable, Equatable {
    package var id: PartitionID
    /// A row written again is counted again.
    package var rowCount: Int
    /// When the first of them came, or was replayed.
    package var since: Timestamp
}
