import TelemetryCodec

/// Writes structs in thrift's compact protocol: what a Parquet footer and page header need of it.
///
/// Source: thrift-compact-protocol.md of Apache Thrift.
struct ThriftWriter: ~Copyable {
    private(set) var bytes = RawBuffer()
    private var previousField: Int16 = 0

    mutating func boolean(_ field: Int16, _ value: Bool) { header(field, value ? .booleanTrue : .booleanFalse) }

    mutating func i16(_ field: Int16, _ value: Int16) {
        header(field, .i16)
        bytes.append(zigzag: Int64(value))
    }

    mutating func i32(_ field: Int16, _ value: Int32) {
        header(field, .i32)
        bytes.append(zigzag: Int64(value))
    }

    mutating func i64(_ field: Int16, _ value: Int64) {
        header(field, .i64)
        bytes.append(zigzag: value)
    }

    mutating func binary(_ field: Int16, _ value: [UInt8]) {
        header(field, .binary)
        element(value)
    }

    mutating func string(_ field: Int16, _ value: String) { binary(field, Array(value.utf8)) }

    mutating func structure(_ field: Int16, _ body: (inout ThriftWriter) -> Void) {
        header(field, .structure)
        element(body)
    }

    /// Opens a list; exactly `count` elements must follow.
    mutating func list(_ field: Int16, of type: ThriftType, count: Int) {
        header(field, .list)
        if count < 15 {
            bytes.append(UInt8(count) << 4 | type.rawValue)
        } else {
            bytes.append(0xF0 | type.rawValue)
            bytes.append(varint: count)
        }
    }

    /// A struct that stands in a list or at the top.
    mutating func element(_ body: (inout ThriftWriter) -> Void) {
        let outerField = previousField
        previousField = 0
        body(&self)
        bytes.append(ThriftType.stop.rawValue)
        previousField = outerField
    }

    mutating func element(_ value: Int32) { bytes.append(zigzag: Int64(value)) }

    mutating func element(_ value: Int64) { bytes.append(zigzag: value) }

    /// In a list a boolean is a byte.
    mutating func element(_ value: Bool) { bytes.append((value ? ThriftType.booleanTrue : .booleanFalse).rawValue) }

    mutating func element(_ value: [UInt8]) {
        value.withUnsafeBytes { bytes.append(counted: $0) }
    }

    private mutating func header(_ field: Int16, _ type: ThriftType) {
        let delta = field - previousField
        if (1...15).contains(delta) {
            bytes.append(UInt8(delta) << 4 | type.rawValue)
        } else {
            bytes.append(type.rawValue)
            bytes.append(zigzag: Int64(field))
        }
        previousField = field
    }
}

/// Type numbers of the compact protocol.
enum ThriftType: UInt8 {
    case stop = 0
    case booleanTrue = 1
    case booleanFalse = 2
    case byte = 3
    case i16 = 4
    case i32 = 5
    case i64 = 6
    case double = 7
    case binary = 8
    case list = 9
    case set = 10
    case map = 11
    case structure = 12
}
