import Dialects
import Telemetry
import Testing

/// A document that knows how it is written and which fields it has.
private indirect enum Document {
    case null, boolean(Bool), integer(Int64), double(Double), text(String)
    case list([Document])
    case object([(String, Document)])

    static func random(depth: Int, _ random: inout SplitMix64) -> Document {
        switch Int.random(in: 0..<(depth < 4 ? 9 : 6), using: &random) {
        case 0: .null
        case 1: .boolean(.random(using: &random))
        case 2: .integer(.random(in: .min ... .max, using: &random))
        case 3: .integer(.random(in: -300...300, using: &random))
        case 4: .double(.random(in: -1e6...1e6, using: &random))
        case 5: .text(["", "a", "\"quoted\"\n", "ü水𐅑", String(repeating: "x", count: 300)].randomElement(using: &random)!)
        case 6: .list((0..<Int.random(in: 0...4, using: &random)).map { _ in .random(depth: depth + 1, &random) })
        default: object(depth: depth, &random)
        }
    }

    static func object(depth: Int, _ random: inout SplitMix64) -> Document {
        let names = ["a", "b", "temperature", "x y", "ü", "values", "device", String(repeating: "n", count: 40)]
        return .object(
            (0..<Int.random(in: 0...6, using: &random)).map { _ in
                (names.randomElement(using: &random)!, .random(depth: depth + 1, &random))
            })
    }

    var json: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .double(let value): "\(value)"
        case .text(let value): Self.quoted(value)
        case .list(let elements): "[ " + elements.map(\.json).joined(separator: " ,") + "]"
        case .object(let members): "{" + members.map { Self.quoted($0.0) + " : " + $0.1.json }.joined(separator: ",") + " }"
        }
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
    }

    /// - Parameter random: chooses among the ways to write the same.
    func cbor(_ random: inout SplitMix64) -> [UInt8] {
        let isOpen = Bool.random(using: &random)
        return switch self {
        case .null: [Bool.random(using: &random) ? 0xF6 : 0xF7]
        case .boolean(let value): [value ? 0xF5 : 0xF4]
        case .integer(let value): value < 0 ? Self.head(1, UInt64(-1 - value)) : Self.head(0, UInt64(value))
        case .double(let value): [0xFB] + Self.bigEndian(value.bitPattern, 8)
        case .text(let value): Self.text(value, isOpen: isOpen)
        case .list(let elements):
            (isOpen ? [0x9F] : Self.head(4, UInt64(elements.count))) + elements.flatMap { $0.cbor(&random) } + (isOpen ? [0xFF] : [])
        case .object(let members):
            (isOpen ? [0xBF] : Self.head(5, UInt64(members.count)))
                + members.flatMap { Self.text($0.0, isOpen: !isOpen) + $0.1.cbor(&random) } + (isOpen ? [0xFF] : [])
        }
    }

    private static func text(_ text: String, isOpen: Bool) -> [UInt8] {
        guard isOpen else { return head(3, UInt64(text.utf8.count)) + Array(text.utf8) }
        return [0x7F] + text.flatMap { head(3, UInt64(String($0).utf8.count)) + Array(String($0).utf8) } + [0xFF]
    }

    private static func head(_ major: UInt8, _ value: UInt64) -> [UInt8] {
        switch value {
        case ..<24: [major << 5 | UInt8(value)]
        case ..<0x100: [major << 5 | 24] + bigEndian(value, 1)
        case ..<0x1_0000: [major << 5 | 25] + bigEndian(value, 2)
        case ..<0x1_0000_0000: [major << 5 | 26] + bigEndian(value, 4)
        default: [major << 5 | 27] + bigEndian(value, 8)
        }
    }

    private static func bigEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    /// Fields by dotted name, the last of equal names.
    func fields(named path: String = "", into fields: inout [String: FieldValue]) {
        func name(_ part: String) -> String { path.isEmpty ? part : path + "." + part }
        switch self {
        case .null: break
        case .boolean(let value): fields[path] = .boolean(value)
        case .integer(let value): fields[path] = .integer(value)
        case .double(let value): fields[path] = .double(value)
        case .text(let value): fields[path] = .string(value)
        case .list(let elements):
            for (index, element) in elements.enumerated() { element.fields(named: name("\(index)"), into: &fields) }
        case .object(let members): for (key, value) in members { value.fields(named: name(key), into: &fields) }
        }
    }

    /// Nothing but `device` and one object `values`.
    var isEnvelope: Bool {
        guard case .object(let members) = self else { return false }
        var count = 0
        for (key, value) in members {
            if case .object = value, key == "values" { count += 1 } else if key != "device" { return false }
        }
        return count == 1
    }
}

@Suite struct RandomDocumentTests {
    @Test(arguments: [UInt64(1), 2, 3, 4]) func bothEncodingsGiveTheFieldsThatWereWritten(_ seed: UInt64) {
        var random = SplitMix64(state: seed)
        var json = PayloadDecoder(DialectOptions(format: .json)) { _ in nil }
        var cbor = PayloadDecoder(DialectOptions(format: .cbor)) { _ in nil }
        var storedCount = 0
        for round in 0..<3_000 {
            let document = Document.object(depth: 0, &random)
            guard !document.isEnvelope else { continue }
            var fields: [String: FieldValue] = [:]
            document.fields(into: &fields)
            let expected = fields.isEmpty ? [] : [Reading(device: "d", time: nil, fields: fields)]
            storedCount += expected.count
            let fromJSON = decode(Array(document.json.utf8), device: "d", with: &json)
            #expect(fromJSON.readings == expected, "seed \(seed), round \(round)")
            let fromCBOR = decode(document.cbor(&random), device: "d", with: &cbor)
            #expect(fromCBOR.readings == expected, "seed \(seed), round \(round)")
            if expected.isEmpty { #expect(fromJSON.rejection?.reason == .noFields && fromCBOR.rejection?.reason == .noFields) }
        }
        #expect(storedCount > 1_000)
    }
}
