/// Reads structs of thrift's compact protocol from bytes that may be damaged: never beyond the end, never deeper than a footer nests.
struct ThriftReader {
    private let bytes: [UInt8]
    private(set) var position = 0
    private var depth = 0

    /// A footer nests seven deep; damage must not overflow the stack.
    private static let depthLimit = 16

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads one struct; `body` sees each field's id and type and must read it or `skip` it.
    mutating func structure(_ body: (inout ThriftReader, Int16, ThriftType) throws(ParquetError) -> Void) throws(ParquetError) {
        try enter()
        var field: Int16 = 0
        while true {
            let header = try byte()
            let type = try self.type(header & 0x0F)
            if type == .stop { break }
            let delta = Int16(header >> 4)
            let next = delta > 0 ? Int64(field) + Int64(delta) : try zigzag()
            guard let id = Int16(exactly: next) else { throw malformed("field number \(next)") }
            field = id
            try body(&self, field, type)
        }
        depth -= 1
    }

    /// Reads a list; `body` reads one element of the given type.
    mutating func list(_ body: (inout ThriftReader, ThriftType) throws(ParquetError) -> Void) throws(ParquetError) {
        try enter()
        let header = try byte()
        let type = try self.type(header & 0x0F)
        let count = header >> 4 < 15 ? UInt64(header >> 4) : try varint()
        // Every element of a footer's lists takes a byte or more.
        guard count <= UInt64(bytes.count - position) else { throw malformed("list of \(count)") }
        for _ in 0..<count { try body(&self, type) }
        depth -= 1
    }

    mutating func integer(_ type: ThriftType) throws(ParquetError) -> Int64 {
        switch type {
        case .i16, .i32, .i64: return try zigzag()
        case .byte: return Int64(Int8(bitPattern: try byte()))
        default: throw malformed("\(type) where an integer belongs")
        }
    }

    mutating func int32(_ type: ThriftType) throws(ParquetError) -> Int32 {
        let value = try integer(type)
        guard let narrow = Int32(exactly: value) else { throw malformed("\(value) is no 32-bit integer") }
        return narrow
    }

    /// A boolean field's value is its type.
    func boolean(_ type: ThriftType) throws(ParquetError) -> Bool {
        guard type == .booleanTrue || type == .booleanFalse else { throw malformed("\(type) where a boolean belongs") }
        return type == .booleanTrue
    }

    /// In a list a boolean is a byte; old writers put 0 for false.
    mutating func booleanElement() throws(ParquetError) -> Bool { try byte() == ThriftType.booleanTrue.rawValue }

    mutating func binary(_ type: ThriftType) throws(ParquetError) -> [UInt8] {
        guard type == .binary else { throw malformed("\(type) where bytes belong") }
        let count = try varint()
        guard count <= UInt64(bytes.count - position) else { throw malformed("\(count) bytes") }
        defer { position += Int(count) }
        return Array(bytes[position..<(position + Int(count))])
    }

    mutating func string(_ type: ThriftType) throws(ParquetError) -> String {
        String(decoding: try binary(type), as: UTF8.self)
    }

    /// Passes over a field that is not ours to read.
    mutating func skip(_ type: ThriftType) throws(ParquetError) {
        switch type {
        case .booleanTrue, .booleanFalse: break
        case .byte: _ = try byte()
        case .i16, .i32, .i64: _ = try varint()
        case .double: for _ in 0..<8 { _ = try byte() }
        case .binary: _ = try binary(type)
        case .list, .set: try list { reader, element throws(ParquetError) in try reader.skipElement(element) }
        case .structure: try structure { reader, _, type throws(ParquetError) in try reader.skip(type) }
        case .map, .stop: throw malformed("\(type) field")
        }
    }

    /// In a list a boolean takes a byte.
    private mutating func skipElement(_ type: ThriftType) throws(ParquetError) {
        if type == .booleanTrue || type == .booleanFalse { _ = try byte() } else { try skip(type) }
    }

    private mutating func enter() throws(ParquetError) {
        depth += 1
        guard depth <= Self.depthLimit else { throw malformed("nesting") }
    }

    private func type(_ number: UInt8) throws(ParquetError) -> ThriftType {
        guard let type = ThriftType(rawValue: number) else { throw malformed("type \(number)") }
        return type
    }

    private mutating func byte() throws(ParquetError) -> UInt8 {
        guard position < bytes.count else { throw malformed("end") }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func varint() throws(ParquetError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            let next = try byte()
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
        }
        throw malformed("varint")
    }

    private mutating func zigzag() throws(ParquetError) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    private func malformed(_ what: String) -> ParquetError {
        ParquetError(.malformed, "thrift: unexpected \(what) at byte \(position) of the metadata")
    }
}
