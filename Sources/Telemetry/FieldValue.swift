/// The type of a field's value. On disk: never renumber.
public enum FieldType: UInt8, CaseIterable, Sendable {
    case integer = 1
    case double = 2
    case boolean = 3
    case string = 4
    case binary = 5

    /// Written out, because the one for raw values is generic and not inlined.
    @inlinable public static func == (a: FieldType, b: FieldType) -> Bool {
        switch (a, b) {
        case (.integer, .integer), (.double, .double), (.boolean, .boolean), (.string, .string), (.binary, .binary): true
        default: false
        }
    }

    /// The name used in JSON answers and in the documents.
    package var name: String {
        switch self {
        case .integer: "integer"
        case .double: "double"
        case .boolean: "boolean"
        case .string: "string"
        case .binary: "binary"
        }
    }

    /// True for types whose bytes live beside the cell.
    @inlinable public var isBytes: Bool { self == .string || self == .binary }
}

/// One typed value. For cold paths and tests; batches and pages hold `Cell`s.
public enum FieldValue: Sendable, Hashable {
    case integer(Int64)
    case double(Double)
    case boolean(Bool)
    case string(String)
    case binary([UInt8])

    package var type: FieldType {
        switch self {
        case .integer: .integer
        case .double: .double
        case .boolean: .boolean
        case .string: .string
        case .binary: .binary
        }
    }
}

/// A value without ownership: a type and 64 bits, which for strings and binaries name a slice of an arena kept beside it.
public struct Cell: Sendable, Equatable {
    /// Nil: the row has no value here.
    public var type: FieldType?
    /// Integer: two's complement. Double: IEEE 754 bits. Boolean: 0 or 1. String, binary: offset << 32 | byte count.
    public var bits: UInt64

    @inlinable public init(type: FieldType?, bits: UInt64) {
        self.type = type
        self.bits = bits
    }

    @inlinable public static var absent: Cell { Cell(type: nil, bits: 0) }
    @inlinable public static func integer(_ value: Int64) -> Cell { Cell(type: .integer, bits: UInt64(bitPattern: value)) }
    @inlinable public static func double(_ value: Double) -> Cell { Cell(type: .double, bits: value.bitPattern) }
    @inlinable public static func boolean(_ value: Bool) -> Cell { Cell(type: .boolean, bits: value ? 1 : 0) }
    /// - Precondition: offset and count are below 4 GiB. Who gathers bytes stops long before.
    @inlinable public static func bytes(_ type: FieldType, offset: Int, count: Int) -> Cell {
        precondition(UInt64(offset | count) <= UInt64(UInt32.max), "an arena beyond 4 GiB")
        return Cell(type: type, bits: UInt64(offset) << 32 | UInt64(count))
    }

    @inlinable public var integer: Int64 { Int64(bitPattern: bits) }
    @inlinable public var double: Double { Double(bitPattern: bits) }
    @inlinable public var boolean: Bool { bits != 0 }
    @inlinable public var byteOffset: Int { Int(bits >> 32) }
    @inlinable public var byteCount: Int { Int(bits & 0xFFFF_FFFF) }
    @inlinable public var byteRange: Range<Int> { byteOffset..<(byteOffset + byteCount) }

    /// The value as an owned enum; nil when absent.
    package func value(in arena: [UInt8]) -> FieldValue? {
        switch type {
        case nil: nil
        case .integer: .integer(integer)
        case .double: .double(double)
        case .boolean: .boolean(boolean)
        case .string: .string(String(decoding: arena[byteRange], as: UTF8.self))
        case .binary: .binary(Array(arena[byteRange]))
        }
    }
}
