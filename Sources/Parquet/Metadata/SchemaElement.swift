/// A node of the schema tree, and the way from the list in which a footer keeps the tree to its leaves.
///
/// Source: SchemaElement and LogicalType of parquet.thrift.
struct SchemaElement {
    private(set) var name = ""
    private(set) var childCount: Int32 = 0
    /// 0 required, 1 optional, 2 repeated.
    private var repetition: Int32 = 0
    private var physical: PhysicalType?
    private var byteWidth: Int32 = 0
    private var converted: Int32?
    private var logical: StoredType.Annotation?

    /// A deeper tree is damage.
    private static let depthLimit = 64
    /// Of the names of a leaf's groups together, bytes.
    private static let pathByteCountLimit = 4_096

    init(decoding reader: inout ThriftReader) throws(ParquetError) {
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: physical = PhysicalType(rawValue: try reader.int32(type))
            case 2: byteWidth = try reader.int32(type)
            case 3: repetition = try reader.int32(type)
            case 4: name = try reader.string(type)
            case 5: childCount = try reader.int32(type)
            case 6: converted = try reader.int32(type)
            case 10: logical = try StoredType.Annotation(decodingLogicalType: &reader)
            default: try reader.skip(type)
            }
        }
    }

    /// The leaves in file order, which is the order of a row group's chunks. Names of nested ones have their groups in front: `a.list.b`.
    ///
    /// - Parameter elements: the tree, depth first; the root stands first.
    static func leaves(_ elements: [SchemaElement]) throws(ParquetError) -> [ParquetFooter.Column] {
        guard let root = elements.first, root.childCount >= 0 else { throw malformed("no root") }
        var open: [(path: String, remaining: Int32)] = [("", root.childCount)]
        var leaves: [ParquetFooter.Column] = []
        for element in elements.dropFirst() {
            while let group = open.last, group.remaining == 0 { open.removeLast() }
            guard let group = open.last else { throw malformed("more elements than its groups have") }
            open[open.count - 1].remaining -= 1
            let path = group.path.isEmpty ? element.name : "\(group.path).\(element.name)"
            if let physical = element.physical, element.childCount == 0 {
                leaves.append(element.leaf(physical, path: path, isNested: open.count > 1))
            } else {
                guard element.childCount >= 0, open.count < depthLimit, path.utf8.count <= pathByteCountLimit else {
                    throw malformed("group '\(element.name)' cannot be")
                }
                open.append((path, element.childCount))
            }
        }
        guard open.allSatisfy({ $0.remaining == 0 }) else { throw malformed("fewer elements than its groups have") }
        return leaves
    }

    private func leaf(_ physical: PhysicalType, path: String, isNested: Bool) -> ParquetFooter.Column {
        var stored = StoredType(physical, logical ?? convertedAnnotation)
        if physical == .fixedLengthByteArray { stored.byteWidth = Int(byteWidth) }
        stored.isNested = isNested
        stored.isRepeated = repetition == 2
        return ParquetFooter.Column(name: path, stored: stored, isOptional: repetition == 1)
    }

    /// Source: "Deprecated ConvertedType" tables of LogicalTypes.md; a converted timestamp is one in UTC.
    private var convertedAnnotation: StoredType.Annotation {
        switch converted {
        case nil: .none
        case 0: .string
        case 4: .enumeration
        case 5: .other("DECIMAL")
        case 6: .date
        case 7: .time(.milliseconds)
        case 8: .time(.microseconds)
        case 9: .timestamp(.milliseconds, isUTC: true)
        case 10: .timestamp(.microseconds, isUTC: true)
        case 11, 12, 13, 14: .integer(isSigned: false)
        case 15, 16, 17, 18: .integer(isSigned: true)
        case 19: .json
        case 20: .bson
        case 21: .other("INTERVAL")
        case let number?: .other("converted type \(number)")
        }
    }

    private static func malformed(_ what: String) -> ParquetError { ParquetError(.malformed, "schema: \(what)") }
}

extension StoredType.Annotation {
    /// Reads the union; the last member wins, as there is one.
    fileprivate init(decodingLogicalType reader: inout ThriftReader) throws(ParquetError) {
        self = .none
        try reader.structure { reader, member, type throws(ParquetError) in
            switch member {
            case 7, 8: self = try Self.time(&reader, isTimestamp: member == 8)
            case 10: self = try Self.integer(&reader)
            default:
                self = Self.simple(member)
                try reader.skip(type)
            }
        }
    }

    private static func simple(_ member: Int16) -> Self {
        switch member {
        case 1: .string
        case 4: .enumeration
        case 5: .other("DECIMAL")
        case 6: .date
        case 11: .null
        case 12: .json
        case 13: .bson
        case 14: .uuid
        case 15: .float16
        case 16: .other("VARIANT")
        case 17: .other("GEOMETRY")
        case 18: .other("GEOGRAPHY")
        default: .other("logical type \(member)")
        }
    }

    /// TimeType and TimestampType: 1 isAdjustedToUTC, 2 unit, itself a union.
    private static func time(_ reader: inout ThriftReader, isTimestamp: Bool) throws(ParquetError) -> Self {
        var isUTC = false
        var unit: StoredType.Unit?
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: isUTC = try reader.boolean(type)
            case 2:
                try reader.structure { reader, member, type throws(ParquetError) in
                    unit = [1: .milliseconds, 2: .microseconds, 3: .nanoseconds][member]
                    try reader.skip(type)
                }
            default: try reader.skip(type)
            }
        }
        guard let unit else { return .other(isTimestamp ? "TIMESTAMP of an unknown unit" : "TIME of an unknown unit") }
        return isTimestamp ? .timestamp(unit, isUTC: isUTC) : .time(unit)
    }

    /// IntType: 1 bitWidth, 2 isSigned.
    private static func integer(_ reader: inout ThriftReader) throws(ParquetError) -> Self {
        var isSigned = true
        try reader.structure { reader, field, type throws(ParquetError) in
            if field == 2 { isSigned = try reader.boolean(type) } else { try reader.skip(type) }
        }
        return .integer(isSigned: isSigned)
    }
}
