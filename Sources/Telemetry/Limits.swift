/// Everything has a limit. These hold for every way in; a violation is a `RejectReason`, never a crash.
package enum Limits {
    /// Bytes of UTF-8 in a device id: long enough for URNs and topic paths, short enough for a key.
    package static let deviceByteCount = 256
    /// Bytes of UTF-8 in a field name.
    package static let fieldNameByteCount = 256
    /// Fields in one reading.
    package static let fieldsPerReading = 1_024
    /// Distinct fields of one table; a device that invents names must not fill memory.
    package static let fieldsPerTable = 16_384
    /// Bytes of one string or binary value.
    package static let valueByteCount = 65_536
    /// Bytes of one MQTT payload or of one reading in an HTTP body.
    package static let payloadByteCount = 1_048_576
    /// Readings in one batch.
    package static let readingsPerBatch = 65_536
    /// Bytes of names and values in one batch; a batch is one log record, which a log file must hold.
    package static let batchByteCount = 16 << 20
    /// Memory for a device's latest values of fields that its newest row does not have: a device that invents names and sends long values
    /// must not fill memory.
    package static let latestBytesPerDevice = 1 << 20
    /// Devices of one table.
    package static let devicesPerTable = 4_000_000
}
