import Telemetry

/// What one message may add to a batch, so that a batch with a message more never outgrows `Limits`.
package struct MessageLimit: Sendable {
    package var readingCount = Limits.readingsPerBatch / 2
    package var byteCount = Limits.batchByteCount / 2

    package init() {}

    init(readingCount: Int, byteCount: Int) {
        self.readingCount = readingCount
        self.byteCount = byteCount
    }
}
