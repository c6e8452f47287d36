import Telemetry

/// What an operator is told about a delivery's last attempt.
package enum DeliveryErrorCode: String, Sendable, CaseIterable {
    case ok = "OK"
    /// The destination refuses the credentials, or the permissions do not suffice.
    case unauthorized = "UNAUTHORIZED"
    /// The destination cannot hold the objects as it is configured.
    case invalidDestination = "INVALID_DESTINATION"
    case unreachable = "UNREACHABLE"
    case noSpace = "NO_SPACE"
    /// The options do not go with what the ledger says: another mode.
    case conflict = "CONFLICT"
    /// The store, the ledger or this program: see the detail.
    case `internal` = "INTERNAL"
}

package struct DeliveryStatus: Sendable, Equatable {
    /// What the task is about.
    package enum Phase: String, Sendable, CaseIterable {
        /// It has not begun.
        case initial = "INIT"
        /// It delivers what was there when it began.
        case full = "FULL"
        /// It delivers what comes.
        case incremental = "INCR"
        /// Mode `full`: nothing is left to do.
        case done = "DONE"
    }

    /// What it does now.
    package enum Activity: String, Sendable {
        /// Nothing is due.
        case idle
        case delivering
        /// The last attempt failed; the next one follows after a pause.
        case retrying
        case paused
    }

    package var phase = Phase.initial
    package var activity = Activity.idle
    package var error = DeliveryErrorCode.ok
    /// Of the last error; empty when there is none.
    package var detail = ""
    /// Modes that follow writes: every row acked before this is delivered. Others: every reading of an earlier time that is sealed. Nil
    /// before the first look.
    package var syncPoint: Timestamp?
    /// For how long the oldest undelivered rows have been due; zero when none are.
    package var lag = TimeSpan.zero
    /// Since the ledger began.
    package var totals = DeliveryTotals()
    /// Key of the newest object.
    package var lastObject: String?
    /// The newest last.
    package var events: [DeliveryEvent] = []
}

package struct DeliveryTotals: Sendable, Equatable {
    package var objectCount = 0
    package var rowCount = 0
    package var byteCount = 0
    /// Values that the schema has no place for.
    package var dirtyFieldCount = 0

    mutating func add(_ object: DeliveredObject) {
        objectCount += 1
        rowCount += object.rowCount
        byteCount += object.byteCount
        dirtyFieldCount += object.dirtyFieldCount
    }
}

/// What one `DeliveryTask.runOnce` did.
package struct DeliveryReport: Sendable, Equatable {
    package var totals = DeliveryTotals()
    /// Partitions that are now delivered as far as they are due.
    package var partitionCount = 0
    /// The first error of this run; others went to the log.
    package var error = DeliveryErrorCode.ok
    package var detail = ""
}

/// An object that stands at the destination for good.
package struct DeliveredObject: Sendable, Equatable {
    package var key: String
    /// Per task and folder from 0, without gaps.
    package var sequence: UInt64
    package var rowCount: Int
    package var byteCount: Int
    /// 32 bytes.
    package var sha256: [UInt8]
    package var minTime: Timestamp
    package var maxTime: Timestamp
    /// Values left out, because the schema has another type for them.
    package var dirtyFieldCount = 0
}
