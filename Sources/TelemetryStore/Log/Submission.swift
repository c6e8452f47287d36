import TelemetryCodec

/// One batch on its way through the group commit: written by its committer, then by the log thread, then read by its committer.
///
/// `@unchecked Sendable`: it changes hands under the commit queue's lock.
final class Submission: @unchecked Sendable {
    var payload = RawBuffer(capacity: 4096)
    var readingCount = 0
    var rejections: [CommitReceipt.Rejection] = []
    var notes: [CommitNote] = []
    /// What it adds to its group's record, roughly.
    var byteCount: Int { notes.reduce(payload.count) { $0 + $1.source.utf8.count + $1.bytes.count } }

    var duplicates = 0
    var lastSequence: SequenceNumber = 0
    var failure: StoreError?
    var isDone = false
}
