import Telemetry
import TelemetryCodec

/// What a Homie device says a property is. In notes on disk: never renumber.
enum HomieType: UInt8 {
    case integer = 1
    case float = 2
    case boolean = 3
    /// `string`, `enum`, `color`, `datetime`, `duration`, `json`.
    case text = 4

    /// Nil: a type of no known version.
    init?(_ word: UnsafeRawBufferPointer) {
        if word == "integer" {
            self = .integer
        } else if word == "float" || word == "percent" {
            self = .float
        } else if word == "boolean" {
            self = .boolean
        } else if ["string", "enum", "color", "datetime", "duration", "json"].contains(where: { word == $0 }) {
            self = .text
        } else {
            return nil
        }
    }
}

/// The types of one device's properties, and the note that keeps them: docs/format/homie-note.md.
struct HomieTypes {
    /// Properties of one device.
    static let limit = 4_096
    private static let version: UInt8 = 1

    private var names = NameIndex()
    private var types: [HomieType] = []

    subscript(_ property: UnsafeRawBufferPointer) -> HomieType? { names.find(property).map { types[$0] } }

    /// - Parameter property: `node/property`.
    /// - Returns: false when it had that type already.
    mutating func set(_ property: UnsafeRawBufferPointer, _ type: HomieType) throws(Rejection) -> Bool {
        if let number = names.find(property) {
            defer { types[number] = type }
            return types[number] != type
        }
        guard property.count <= Limits.fieldNameByteCount else {
            throw Rejection(.fieldNameTooLong, "property \"\(excerpt(property))\": a name of more than \(Limits.fieldNameByteCount) bytes")
        }
        guard names.count < Self.limit else { throw Rejection(.fieldLimit, "more than \(Self.limit) properties of one Homie device") }
        _ = names.insert(property)
        types.append(type)
        return true
    }

    /// Memory that it takes, roughly.
    var byteCount: Int { 128 + names.byteCount + types.count }

    /// At most what its note takes: a name has up to two bytes of length before it, and its type behind.
    var noteByteCount: Int { names.nameByteCount + 3 * types.count + 3 }

    var note: [UInt8] {
        var writer = RawBuffer()
        writer.append(Self.version)
        writer.append(varint: types.count)
        for (number, type) in types.enumerated() {
            writer.append(counted: names.name(number))
            writer.append(type.rawValue)
        }
        return writer.array
    }

    init() {}

    /// Nil: not a note of this version.
    init?(note: UnsafeRawBufferPointer) {
        do throws(CodecError) {
            var cursor = ByteCursor(note)
            guard try cursor.byte() == Self.version else { return nil }
            for _ in 0..<(try cursor.count(limit: Self.limit)) {
                let name = try cursor.countedBytes()
                guard let type = HomieType(rawValue: try cursor.byte()), (try? set(name, type)) == true else { return nil }
            }
            guard cursor.isAtEnd else { return nil }
        } catch {
            return nil
        }
    }
}
