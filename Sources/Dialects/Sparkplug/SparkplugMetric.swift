import Telemetry
import TelemetryCodec

/// One metric as it stands in a payload: slices of that, nothing resolved.
struct SparkplugMetric {
    enum Value {
        /// Absent, or of a kind that is not stored: data sets, templates, extensions.
        case none
        case integer(UInt64)
        case float(Float)
        case double(Double)
        case boolean(Bool)
        case text(UnsafeRawBufferPointer)
        case bytes(UnsafeRawBufferPointer)
    }

    var name: UnsafeRawBufferPointer?
    var alias: UInt64?
    /// Milliseconds since the epoch.
    var timestamp: UInt64?
    /// 0: not given.
    var datatype: UInt8 = 0
    var isNull = false
    var value = Value.none

    /// Source: sparkplug_b.proto of Eclipse Tahu, message Payload.Metric.
    init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        var cursor = ByteCursor(bytes)
        while let (field, kind) = try cursor.protobufKey() {
            switch (field, kind) {
            case (1, .bytes): name = try cursor.countedBytes()
            case (2, .varint): alias = try cursor.varint()
            case (3, .varint): timestamp = try cursor.varint()
            case (4, .varint): datatype = UInt8(clamping: try cursor.varint())
            case (7, .varint): isNull = try cursor.varint() != 0
            case (10, .varint), (11, .varint): value = .integer(try cursor.varint())
            case (12, .fixed32): value = .float(Float(bitPattern: try cursor.fixed(UInt32.self)))
            case (13, .fixed64): value = .double(Double(bitPattern: try cursor.fixed(UInt64.self)))
            case (14, .varint): value = .boolean(try cursor.varint() != 0)
            case (15, .bytes): value = .text(try cursor.countedBytes())
            case (16, .bytes): value = .bytes(try cursor.countedBytes())
            case (1...4, _), (7, _), (10...16, _): throw .malformed
            default: try cursor.skip(kind)
            }
        }
    }
}

extension SparkplugMetric {
    /// What its birth said of it: by its alias, or by its name.
    func number(in generation: SparkplugGeneration?) -> Int? {
        if let name { return generation?.find(name: name) }
        return alias.flatMap { generation?.find(alias: $0) }
    }

    /// Its own or, where it says none, that of its birth; 0: neither says one.
    func datatype(in generation: SparkplugGeneration?) -> UInt8 {
        if datatype != 0 { return datatype }
        return number(in: generation).flatMap { generation?.metric($0).datatype } ?? 0
    }

    /// Whether it cannot be read without a birth that is not there: an alias without a name, or an integer whose size nobody has told.
    func isUnknown(in generation: SparkplugGeneration?) -> Bool {
        guard let name else { return number(in: generation) == nil }
        guard !isNull, case .integer = value, datatype(in: generation) == 0 else { return false }
        return name.isValidUTF8 && !SparkplugPayload.isBookkeeping(name)
    }
}

/// The numbers of datatypes that change how a value is read. Source: Sparkplug 3.0.0, 6.4.16.
enum SparkplugType {
    static let int8: UInt8 = 1
    static let int16: UInt8 = 2
    static let int32: UInt8 = 3
    static let boolean: UInt8 = 11
    static let uint64: UInt8 = 8
    static let float: UInt8 = 9
    static let double: UInt8 = 10

    /// What a wire integer says under a datatype: signed ones are sent as two's complement in 32 or 64 bits. Nil: beyond 64 bits signed.
    static func integer(_ bits: UInt64, _ datatype: UInt8) -> Int64? {
        switch datatype {
        case int8: Int64(Int8(truncatingIfNeeded: bits))
        case int16: Int64(Int16(truncatingIfNeeded: bits))
        case int32: Int64(Int32(truncatingIfNeeded: bits))
        case uint64: Int64(exactly: bits)
        default: Int64(bitPattern: bits)
        }
    }
}

extension ReadingBuilder {
    /// Appends a metric's value, if it has one that is stored.
    ///
    /// - Parameter datatype: of the metric or, where that says none, of its birth; 0: not told, and no integer can be read.
    mutating func append(
        _ name: UnsafeRawBufferPointer, _ value: SparkplugMetric.Value, datatype: UInt8, in batch: inout ReadingBatch
    ) throws(Rejection) {
        switch value {
        case .none: break
        case .integer(let bits) where datatype == SparkplugType.boolean: try append(name, boolean: bits != 0, in: &batch)
        case .integer where datatype == 0: throw Rejection(.badValue, "metric \"\(excerpt(name))\": an integer without a datatype")
        case .integer(let bits):
            guard let integer = SparkplugType.integer(bits, datatype) else {
                throw Rejection(.badValue, "metric \"\(excerpt(name))\": \(bits) is beyond 64 bits signed")
            }
            try append(name, integer: integer, in: &batch)
        case .float(let value): try append(name, double: Double(value), in: &batch)
        case .double(let value): try append(name, double: value, in: &batch)
        case .boolean(let value): try append(name, boolean: value, in: &batch)
        case .text(let text):
            guard text.isValidUTF8 else { throw Rejection(.undecodable, "metric \"\(excerpt(name))\": not UTF-8 text") }
            try append(name, string: text, in: &batch)
        case .bytes(let bytes): try append(name, binary: bytes, in: &batch)
        }
    }
}
