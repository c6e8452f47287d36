import TelemetryCodec
import Testing

@testable import Parquet

/// Decoders against bytes written down from the specification, and against damage.
@Suite struct DecoderTests {
    @Test func packedGroupsAndRunsFollowTheSpecification() throws {
        // Encodings.md: 0 to 7 at width 3.
        #expect(try hybrid([1 << 1 | 1, 0b1000_1000, 0b1100_0110, 0b1111_1010], width: 3, count: 8) == [0, 1, 2, 3, 4, 5, 6, 7])
        #expect(try hybrid([9 << 1, 4], width: 3, count: 9) == [UInt64](repeating: 4, count: 9))
        #expect(try hybrid([8 << 1, 0x2C, 0x01], width: 9, count: 8) == [UInt64](repeating: 300, count: 8))
        #expect(try hybrid([2 << 1, 1, 3, 0b0000_0010, 1 << 1, 1], width: 1, count: 11) == [1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1])
        // Width 0: one value, without a byte.
        #expect(try hybrid([60 << 1], width: 0, count: 50) == [UInt64](repeating: 0, count: 50))
        // A last group of which only the bytes in use are there.
        #expect(try hybrid([1 << 1 | 1, 0xFF, 0x0F], width: 4, count: 4) == [15, 15, 15, 0])
    }

    @Test func hybridRefusesDamage() {
        #expect(throws: CodecError.self) { try hybrid([], width: 1, count: 1) }
        #expect(throws: CodecError.self) { try hybrid([9 << 1], width: 3, count: 9) }
        // A value of more bits than there are.
        #expect(throws: CodecError.self) { try hybrid([9 << 1, 8], width: 3, count: 9) }
        #expect(throws: CodecError.self) { try hybrid([1 << 1 | 1, 0xFF, 0x0F], width: 4, count: 5) }
        #expect(throws: CodecError.self) { try hybrid([2], width: 33, count: 1) }
        // Runs of nothing end with the bytes.
        #expect(throws: CodecError.self) { try hybrid([UInt8](repeating: 0, count: 50_000), width: 0, count: 1) }
        // Counts of 2^63 groups and values.
        let enormous = [UInt8](repeating: 0xFF, count: 9) + [1]
        #expect(throws: CodecError.self) { try hybrid(enormous, width: 8, count: 1) }
        #expect(throws: CodecError.self) { try hybrid([0xFE] + enormous.dropFirst(), width: 8, count: 1) }
    }

    @Test(arguments: 0..<60) func hybridReadsWhatTheWriterPacks(seed: UInt64) throws {
        var random = SplitMix(seed)
        let width = Int(seed % 32) + 1
        var values: [UInt32] = []
        while values.count < 2_000 {
            let value = UInt32(truncatingIfNeeded: random.next() & (UInt64(1) << UInt64(width) - 1))
            values += [UInt32](repeating: value, count: Int.random(in: 1...(seed % 2 == 0 ? 3 : 40), using: &random))
        }
        var bytes = RawBuffer()
        values.withUnsafeBufferPointer { RunLengthEncoding.append($0, bitWidth: width, to: &bytes) }
        let steps = Int.random(in: 1...700, using: &random)
        #expect(try hybrid(bytes.array, width: width, count: values.count, steps: steps) == values.map(UInt64.init))
    }

    @Test func deltasFollowTheSpecification() throws {
        #expect(try delta([0x80, 1, 4, 5, 2, 2, 0, 0, 0, 0], count: 5) == [1, 2, 3, 4, 5])
        #expect(try delta([0x80, 1, 4, 1, 13], count: 1) == [-7])
        // Encodings.md, second example: 7, 5, 3, 1, 2, 3, 4, 5.
        let example: [UInt8] = [0x80, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0b1100_0000, 0b0011_1111] + [UInt8](repeating: 0, count: 6)
        #expect(try delta(example, count: 8) == [7, 5, 3, 1, 2, 3, 4, 5])
        // The body of the last miniblock may end where its values do.
        #expect(try delta(Array(example.dropLast(6)), count: 8) == [7, 5, 3, 1, 2, 3, 4, 5])
    }

    @Test(arguments: 0..<60) func deltaReadsWhatTheWriterPacks(seed: UInt64) throws {
        var random = SplitMix(seed)
        let spans: [ClosedRange<Int64>] = [.min ... .max, -5...5, 0...0, 1_700_000_000_000_000...1_700_000_100_000_000]
        let values = (0..<Int.random(in: 0...900, using: &random)).map { _ in Int64.random(in: spans[Int(seed % 4)], using: &random) }
        var bytes = RawBuffer()
        values.map { UInt64(bitPattern: $0) }.withUnsafeBufferPointer { DeltaBinaryPacked.append($0, to: &bytes) }
        #expect(try delta(bytes.array, count: values.count, steps: Int.random(in: 1...300, using: &random)) == values)
        #expect(
            try withPadded(bytes.array + [1, 2, 3]) { input in
                var decoder = try DeltaDecoder(input)
                return try decoder.skipToEnd()
            } == bytes.count)
        #expect(throws: CodecError.self) { try delta(bytes.array, count: values.count + 1) }
    }

    @Test func deltaRefusesDamage() {
        // No miniblocks, blocks that they do not divide, miniblocks of broken bytes, widths above 64, an end too early.
        let damaged: [[UInt8]] = [
            [0x80, 1, 0, 5, 2], [0, 4, 5, 2], [0x80, 1, 3, 5, 2], [12, 1, 5, 2], [0x80, 1, 4, 5, 2, 2, 65, 0, 0, 0],
            [0x80, 1, 4, 5, 2, 2, 64, 0, 0, 0, 1],
            [0x80, 1, 4, 5, 2, 2, 0], [], [0x80],
        ]
        for bytes in damaged { #expect(throws: CodecError.self) { try delta(bytes, count: 5) } }
    }

    @Test func timesOfEveryUnitBecomeMicroseconds() {
        #expect([-1, -999, -1_000, -1_001, 0, 999, 1_000].map { Microseconds.ofNanoseconds($0) } == [-1, -1, -1, -2, 0, 0, 1])
        #expect(Microseconds.ofNanoseconds(.min) == -9_223_372_036_854_776 && Microseconds.ofNanoseconds(.max) == 9_223_372_036_854_775)
        #expect(
            Microseconds.ofMilliseconds(-2) == -2_000 && Microseconds.ofMilliseconds(.max) == .max
                && Microseconds.ofMilliseconds(.min) == .min)
        #expect(Microseconds.ofDays(-1) == -86_400_000_000)
        // Julian day 2 440 588 began at noon of what it is taken for: midnight of 1970-01-01.
        #expect(Microseconds.ofInt96(nanoseconds: 1_999, julianDay: 2_440_588) == 1)
        #expect(Microseconds.ofInt96(nanoseconds: 86_399_999_999_999, julianDay: 2_440_587) == -1)
        #expect(Microseconds.ofInt96(nanoseconds: .max, julianDay: .max / 2) == .max)
        #expect(Microseconds.ofInt96(nanoseconds: .min, julianDay: .max / 2 + 1) == .min)
    }

    @Test func lastBitsOfTheInputAreRead() throws {
        for width in 0...64 {
            for shift in 0..<8 {
                let bytes = [UInt8](repeating: 0xFF, count: (shift + width + 7) / 8 + 1)
                let bits = withPadded(bytes) { $0.bits(at: shift, width: width) }
                #expect(bits == (width == 0 ? 0 : UInt64.max >> UInt64(64 - width)), "\(width) at \(shift)")
            }
        }
    }
}

/// - Parameter bytes: get the padding that a page's buffer has, filled with ones so that reading it shows.
func withPadded<Result>(_ bytes: [UInt8], _ body: (PaddedBytes) throws -> Result) rethrows -> Result {
    try (bytes + [UInt8](repeating: 0xAA, count: PaddedBytes.padding)).withUnsafeBytes {
        try body(PaddedBytes(unchecked: UnsafeRawBufferPointer(rebasing: $0[..<bytes.count])))
    }
}

private func hybrid(_ bytes: [UInt8], width: Int, count: Int, steps: Int = .max) throws -> [UInt64] {
    try withPadded(bytes) { input in
        var decoder = try HybridDecoder(input, width: width)
        return try inSteps(count, steps) { try decoder.decode(into: $0, count: $1) }
    }
}

private func delta(_ bytes: [UInt8], count: Int, steps: Int = .max) throws -> [Int64] {
    try withPadded(bytes) { input in
        var decoder = try DeltaDecoder(input)
        return try inSteps(count, steps) { try decoder.decode(into: $0, count: $1) }
    }.map(Int64.init(bitPattern:))
}

private func inSteps(_ count: Int, _ step: Int, _ body: (UnsafeMutablePointer<UInt64>, Int) throws -> Void) rethrows -> [UInt64] {
    var values = [UInt64](repeating: 0, count: max(count, 1))
    try values.withUnsafeMutableBufferPointer { buffer in
        var done = 0
        while done < count, let base = buffer.baseAddress {
            try body(base + done, min(step, count - done))
            done += min(step, count - done)
        }
    }
    return Array(values.prefix(count))
}
