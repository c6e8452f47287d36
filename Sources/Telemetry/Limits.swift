/// Everything has a limit. These hold for every way in; a violation is a `RejectReason`, never a crash. Public, so that they are compiled
/// into the hot paths of other modules.
public enum Limits {
    /// Bytes of UTF-8 in a device id: long enough for URNs and topic paths, short enough for a key.
    @inlinable public static var deviceByteCount: Int { 256 }
    /// Bytes of UTF-8 in a field name.
    @inlinable public static var fieldNameByteCount: Int { 256 }
    /// Fields in one reading.
    @inlinable public static var fieldsPerReading: Int { 1_024 }
    /// Distinct fields of one table; a device that invents names must not fill memory.
    @inlinable public static var fieldsPerTable: Int { 16_384 }
    /// Bytes of one string or binary value.
    @inlinable public static var valueByteCount: Int { 65_536 }
    /// Bytes of one MQTT payload or of one reading in an HTTP body.
    @inlinable public static var payloadByteCount: Int { 1_048_576 }
    /// Readings in one batch.
    @inlinable public static var readingsPerBatch: Int { 65_536 }
    /// Bytes of names and values in one batch; a batch is one log record, which a log file must hold.
    @inlinable public static var batchByteCount: Int { 16 << 20 }
    /// Memory for a device's latest values of fields that its newest row does not have: a device that invents names and sends long values
    /// must not fill memory.
    @inlinable public static var latestBytesPerDevice: Int { 1 << 20 }
    /// Devices of one table.
    @inlinable public static var devicesPerTable: Int { 4_000_000 }
}
