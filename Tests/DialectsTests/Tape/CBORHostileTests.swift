import Dialects
import Telemetry
import Testing

@Suite struct CBORHostileTests {
    private let good = bytes(hex: "a4627473c11a514b67b0616183010203616 2a16163f5616d7f61786179ff")

    private func expectUnharmed(_ decoder: inout PayloadDecoder) {
        let fields: [String: FieldValue] = [
            "a.0": .integer(1), "a.1": .integer(2), "a.2": .integer(3), "b.c": .boolean(true), "m": .string("xy"),
        ]
        let reading = Reading(device: "d", time: time("2013-03-21T20:04:00Z"), fields: fields)
        #expect(decode(good, device: "d", with: &decoder).readings == [reading])
    }

    @Test func everyPrefixAndEveryTailIsRefused() {
        var decoder = PayloadDecoder(DialectOptions(format: .cbor)) { _ in nil }
        for count in 1..<good.count {
            #expect(decode(Array(good[..<count]), device: "d", with: &decoder).rejection?.reason == .undecodable)
        }
        #expect(decode(good + [0], device: "d", with: &decoder).rejection?.reason == .undecodable)
        expectUnharmed(&decoder)
    }

    @Test(arguments: [
        // Counts and lengths beyond everything: of a list, a map, a text, a binary, a chunk.
        "9bffffffffffffffff", "bbffffffffffffffff", "7bffffffffffffffff61", "5b7fffffffffffffff00", "7f7bffffffffffffffff", "9a00ffffff01",
        // Reserved lengths, a break that ends nothing, chunks of another type or without a length, a key without a value.
        "1c", "1d", "1e", "1f", "3f", "df", "ff", "81ff", "7f4161ff", "5f6161ff", "7f7f6161ffff", "a1ff", "bf01ff", "a161", "a0ff",
        // Keys that are none: binaries, lists, booleans, doubles, integers beyond 64 bits.
        "a1416101", "a18001", "a1f501", "a1f93c0001", "a11bffffffffffffffff01",
        // Text that is not UTF-8, whole and in chunks: a chunk may not end inside a character.
        "a16161 62c3 28", "a16161 7f 61c3 61bc ff", "a162ff6101", "a16161 63eda080",
        // A tag without its item, and a great many tags.
        "c1", "a16161c1", String(repeating: "c1", count: 10_000),
        // Not an object.
        "01", "6161", "f6", "820102", "8101",
    ])
    func malformedItemsAreRefused(_ hex: String) {
        var decoder = PayloadDecoder(DialectOptions(format: .cbor)) { _ in nil }
        #expect(decode(bytes(hex: hex), device: "d", with: &decoder).rejection?.reason == .undecodable)
        expectUnharmed(&decoder)
    }

    @Test(arguments: [30, 31, 100, 100_000])
    func nestingIsBounded(_ depth: Int) {
        for open in ["81", "9f", "a16162", "bf6162"] {
            let closes = open == "9f" || open == "bf6162" ? String(repeating: "ff", count: depth) : ""
            let payload = bytes(hex: "a16161" + String(repeating: open, count: depth) + "01" + closes)
            let decoded = message(.cbor, payload, device: "d")
            if depth <= 30 {
                #expect(decoded.readings.count == 1)
            } else {
                #expect(decoded.rejection?.reason == .undecodable)
            }
        }
    }

    @Test func manyTagsAroundAValueChangeNothing() {
        let payload = bytes(hex: "a16161" + String(repeating: "d818", count: 5_000) + "07")
        #expect(message(.cbor, payload, device: "d").readings.first?.fields == ["a": .integer(7)])
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func mutatedPayloadsNeverCrashNorLeakIntoTheNext(_ seed: UInt64) {
        var random = SplitMix64(state: seed)
        var decoder = PayloadDecoder(DialectOptions(format: .cbor)) { _ in nil }
        for round in 0..<6_000 {
            var payload = round % 3 == 0 ? (0..<30).map { _ in UInt8.random(in: 0...255, using: &random) } : good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let position = Int.random(in: 0...payload.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: payload.insert(UInt8.random(in: 0...255, using: &random), at: position)
                case 1 where position < payload.count: payload.remove(at: position)
                case 2 where position < payload.count: payload[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                default: payload.insert([0x9F, 0xBF, 0x7F, 0xFF, 0xC1, 0xC4, 0x9B, 0xF9].randomElement(using: &random) ?? 0, at: position)
                }
            }
            guard !payload.isEmpty else { continue }
            let decoded = decode(payload, device: "d", with: &decoder)
            #expect((decoded.rejection == nil) == !decoded.readings.isEmpty, "seed \(seed), round \(round)")
            if round % 500 == 0 { expectUnharmed(&decoder) }
        }
    }
}
