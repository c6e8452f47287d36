import Dialects
import Telemetry
import Testing

/// Nothing that a stranger sends may crash the decoder, leave half a message behind, or disturb the next one.
@Suite struct HostileInputTests {
    private let good = Array(#"{"ts":1764000000000,"a":1,"n":{"b":"x"},"l":[1,2]}"#.utf8)

    private func expectUnharmed(_ decoder: inout JSONReadingDecoder) {
        let fields: [String: FieldValue] = ["a": .integer(1), "n.b": .string("x"), "l.0": .integer(1), "l.1": .integer(2)]
        let time = Timestamp(microseconds: 1_764_000_000_000_000)
        #expect(decode(good, decoder: &decoder).readings == [Reading(device: "d1", time: time, fields: fields)])
    }

    @Test func everyPrefixOfAPayloadIsRejected() {
        var decoder = JSONReadingDecoder()
        for count in 1..<good.count {
            let decoded = decode(Array(good[..<count]), decoder: &decoder)
            #expect(decoded.rejection?.reason == .undecodable)
            #expect(decoded.readings.isEmpty)
        }
        expectUnharmed(&decoder)
    }

    @Test(arguments: [31, 32, 100, 100_000])
    func deepNestingIsRejectedOrFlattened(_ depth: Int) {
        var decoder = JSONReadingDecoder()
        for (open, close) in [("{\"a\":", "}"), ("[", "]")] {
            let payload = "{\"a\":" + String(repeating: open, count: depth - 1) + "1" + String(repeating: close, count: depth - 1) + "}"
            let decoded = decode(Array(payload.utf8), decoder: &decoder)
            if depth < 32 {
                #expect(decoded.readings.count == 1)
            } else {
                #expect(decoded.rejection?.reason == .undecodable)
            }
            let unclosed = decode(Array(String(repeating: open, count: depth).utf8), decoder: &decoder)
            #expect(unclosed.rejection?.reason == .undecodable)
        }
        expectUnharmed(&decoder)
    }

    @Test func hugeTextsAreRejectedAndTheMemoryStaysUsable() {
        var decoder = JSONReadingDecoder()
        for count in [65_537, 200_000, 1_000_000] {
            let decoded = decode(Array("{\"a\":\"\(String(repeating: "y", count: count))\"}".utf8), decoder: &decoder)
            #expect(decoded.rejection?.reason == .valueTooLong)
            expectUnharmed(&decoder)
        }
    }

    @Test(
        arguments: [
            [0xFF], [0x22, 0xC0, 0xAF, 0x22], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80], [0x00], [0x00, 0x00, 0x7B],
            [0xEF, 0xBB, 0xBF], [0xEF, 0xBB],
        ] as [[UInt8]])
    func bytesThatAreNoTextAreRejected(_ bytes: [UInt8]) {
        #expect(decode(bytes).rejection?.reason == .undecodable)
        #expect(decode(Array("{\"a\":\"".utf8) + bytes.map { $0 == 0x22 ? 0xC0 : $0 } + Array("\"".utf8)).rejection?.reason == .undecodable)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func mutatedPayloadsNeverCrashNorLeakIntoTheNext(_ seed: UInt64) {
        var random = SplitMix64(state: seed)
        var decoder = JSONReadingDecoder()
        let pieces: [[UInt8]] = [
            "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"ts\"", "\"values\"", "\"fields\"", "\"device\"", "1", "-1.5e300", "1e999",
            "18446744073709551616", "null", "true", "nan", "\\u0000", "\\ud83d", "\\udc00", "\u{FEFF}", "\u{1F600}", " ", "\0",
        ].map { Array($0.utf8) }
        for round in 0..<20_000 {
            var payload = round % 2 == 0 ? good : []
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                let position = Int.random(in: 0...payload.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: payload.insert(UInt8.random(in: 0...255, using: &random), at: position)
                case 1 where !payload.isEmpty: payload.remove(at: min(position, payload.count - 1))
                case 2 where !payload.isEmpty: payload[min(position, payload.count - 1)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                default: payload.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: position)
                }
            }
            guard !payload.isEmpty else { continue }
            let decoded = decode(payload, decoder: &decoder)
            #expect((decoded.rejection == nil) == !decoded.readings.isEmpty, "seed \(seed), round \(round)")
            if round % 500 == 0 { expectUnharmed(&decoder) }
        }
    }
}

/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
