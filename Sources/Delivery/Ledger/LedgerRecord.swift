import Telemetry
import TelemetryStore

/// A row's place in a partition's scan: buckets ascending, devices by their bytes, times descending.
struct ScanPosition: Equatable {
    var bucket: Int
    var device: String
    var time: Timestamp
}

/// One step of a delivery, as the ledger keeps it. Format: docs/format/delivery-ledger.md.
enum LedgerRecord: Equatable {
    /// The rows of flushes `after` (exclusive) through `through` of a partition will be delivered.
    struct Intent: Equatable {
        var partition: PartitionID
        var after: FlushID
        var through: FlushID
        /// Template of the folders, with what is one for all rows filled in: see `FolderSlices`.
        var folder: String
    }

    /// An object that is complete but not yet visible: the rows up to `end` that no earlier object of the slice has.
    struct Staged: Equatable {
        var partition: PartitionID
        var object: DeliveredObject
        var end: ScanPosition
    }

    /// What the task set out to do.
    struct Begin: Equatable {
        var mode: DeliveryMode
        /// Whose rows; empty: version 1 did not say.
        var table: String
        /// Newest flushes that were there: what mode `full` delivers, what `incremental` leaves out, with what `differential` is full.
        var line: [PartitionID: FlushID]
    }

    case intent(Intent)
    case staged(Staged)
    /// The staged object of the partition stands at the destination.
    case recorded(PartitionID)
    /// The open intent of the partition is carried out.
    case delivered(PartitionID)
    /// The slices of the open intent before this one are carried out.
    case slice(PartitionID, Int)
    case begin(Begin)
    /// All is forgotten but the objects' numbers: the task is to begin anew.
    case restart
    case paused(Bool)
    case event(DeliveryEvent)
}
