import Telemetry

/// Something worth remembering of a task's life; the ledger keeps the newest.
package struct DeliveryEvent: Sendable, Equatable {
    /// On disk: never renumber.
    package enum Kind: UInt8, Sendable {
        case begun = 1
        case paused = 2
        case resumed = 3
        case restarted = 4
        /// An attempt failed as none had since the last success, or in another way.
        case failed = 5
        /// The first success since a failure.
        case recovered = 6
        /// Mode `full`: all is delivered.
        case completed = 7
        /// Without `retain_until_delivered`: rows expired while they were being delivered. The detail is the start of their window.
        case expired = 8
    }

    package var time: Timestamp
    package var kind: Kind
    /// Of `failed`; OK otherwise.
    package var error = DeliveryErrorCode.ok
    package var detail = ""

    /// Longer details are cut: they stand in the log.
    static let detailByteCountLimit = 1_000
    /// How many a ledger keeps when it is opened.
    static let keptCount = 100
}
