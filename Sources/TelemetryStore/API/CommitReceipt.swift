import Telemetry

/// What became of a batch. Once returned, all that was accepted is on disk and readable.
package struct CommitReceipt: Sendable {
    package struct Rejection: Sendable {
        /// Row in the batch.
        package var row: Int
        package var reason: RejectReason
    }

    /// Sequence number of the last accepted reading; the newest of the store when none was.
    package var sequence: SequenceNumber
    /// Readings written, duplicates included.
    package var accepted: Int
    /// Of these, readings that said nothing new.
    package var duplicates: Int
    package var rejections: [Rejection]
}

/// Position of a reading in the order of commits; 1 is the first ever. Orders versions and the change stream; the clock never does.
package typealias SequenceNumber = UInt64

/// Bytes that a producer keeps with its newest commit and gets back after a restart, atomically with the readings.
///
/// Ingest keeps the packet ids and assigned times of the messages whose acks may not have left.
package struct CommitNote: Sendable {
    /// Who writes it, e.g. `mqtt/gaugehouse`. One note is kept per source.
    package var source: String
    /// Empty: the source's note is forgotten.
    package var bytes: [UInt8]

    package init(source: String, bytes: [UInt8]) {
        self.source = source
        self.bytes = bytes
    }
}
