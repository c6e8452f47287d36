/// One thing that an inspection of a store found.
package struct Finding: Sendable, Equatable {
    package enum Severity: String, Sendable, CaseIterable {
        /// The store does not hold what was written to it: it will not open, or answers are missing.
        case damage
        /// A crash, or somebody, left it behind; nothing is lost by it.
        case leftover
        /// Lawful, and worth knowing.
        case note
    }

    package let kind: FindingKind
    /// Path as the inspector was given the store's.
    package let file: String
    /// Byte in the file; nil when the file as a whole is meant.
    package let offset: Int?
    package let detail: String

    package var severity: Severity { kind.severity }

    package init(kind: FindingKind, file: String, offset: Int?, detail: String) {
        (self.kind, self.file, self.offset, self.detail) = (kind, file, offset, detail)
    }
}

/// Kinds of findings; the names stand in `verify --json` and in docs/operations/troubleshooting.md.
package enum FindingKind: String, Sendable, CaseIterable {
    // Damage.
    case unreadable
    case newerVersion = "newer-version"
    case catalog
    case checkpoint
    case log
    case logGap = "log-gap"
    case foreignFile = "foreign-file"
    case segment
    case partitionState = "partition-state"
    case unknownDirectory = "unknown-directory"
    case unknownDevice = "unknown-device"
    case ledger
    // Leftovers.
    case temporaryFile = "temporary-file"
    case superseded
    case trimmedLog = "trimmed-log"
    case droppedPartition = "dropped-partition"
    case unknownFile = "unknown-file"
    // Notes.
    case tornEnd = "torn-end"
    case emptyStore = "empty-store"

    package var severity: Finding.Severity {
        switch self {
        case .unreadable, .newerVersion, .catalog, .checkpoint, .log, .logGap, .foreignFile, .segment, .partitionState, .unknownDirectory,
            .unknownDevice, .ledger:
            .damage
        case .temporaryFile, .superseded, .trimmedLog, .droppedPartition, .unknownFile: .leftover
        case .tornEnd, .emptyStore: .note
        }
    }

    /// What the operator should do about it, and what is lost by doing so.
    package var advice: String {
        switch self {
        case .unreadable: "Check owner and permissions of the file, then the disk (dmesg); nothing is known of what is in it."
        case .newerVersion: "Start the version of gaugehouse that made it, or a later one; nothing is wrong with the file itself."
        case .catalog:
            "Copy the file `catalog` back from a backup of this store: it changes only when a table is added. "
                + "The store does not open without it."
        case .checkpoint:
            "Restore the whole store from a backup. If the log begins with reading 1, moving the file away is as "
                + "good: the start replays it all."
        case .log:
            "Restore the whole store from a backup: readings from this offset on that are in no segment are lost otherwise, "
                + "and nothing cuts them off."
        case .logGap:
            "Put the missing log file back, or restore the whole store from a backup: the readings in it are acked and nowhere else."
        case .foreignFile: "Move the file back to the store that it belongs to, and put this store's own in its place."
        case .segment:
            "Restore the whole store from a backup, or move this file away: then its readings are lost, "
                + "except those that the log still has."
        case .partitionState:
            "Move the file away: the partition is sealed again at the next start, and deliveries know from their ledgers what they have."
        case .unknownDirectory:
            "Move the directory out of the store, which does not open with it; if its name is right, the catalogue is of another moment."
        case .unknownDevice: "Checkpoint, log and segments are not of one moment: restore all of the store from one backup."
        case .ledger:
            "Restore the ledger from a backup that is as new as the destination; that delivery waits until then, all else goes on."
        case .temporaryFile, .superseded, .trimmedLog, .droppedPartition: "Nothing: the next start removes it."
        case .unknownFile: "Nothing: the store does not look at it. Move it away if nobody knows it."
        case .tornEnd: "Nothing: a group that was being written at a crash, and was never acked; the next start clears it."
        case .emptyStore: "Nothing, if the store is new; otherwise look for the right path."
        }
    }
}
