/// One device at one time, with its fields. For cold paths and tests; ingest works on `ReadingBatch`.
package struct Reading: Sendable, Hashable {
    package var device: String
    /// Nil: the gateway gives the receive time.
    package var time: Timestamp?
    package var fields: [String: FieldValue]

    package init(device: String, time: Timestamp?, fields: [String: FieldValue]) {
        self.device = device
        self.time = time
        self.fields = fields
    }
}
