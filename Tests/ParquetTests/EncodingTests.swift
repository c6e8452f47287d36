import TelemetryCodec
import Testing

@testable import Parquet

@Suite struct EncodingTests {
    @Test func pageChecksumIsTheOneOfGzip() {
        #expect(PageChecksum.crc32(of: "123456789") == 0xCBF4_3926)
        #expect(PageChecksum.crc32(of: "") == 0)
        #expect(PageChecksum.crc32(of: "The quick brown fox jumps over the lazy dog") == 0x414F_A339)
    }

    @Test func bitPackingFollowsTheSpecification() {
        var bytes = RawBuffer()
        [UInt64](0..<8).withUnsafeBufferPointer { bytes.append(packed: $0, bitWidth: 3) }
        #expect(bytes.copy == [0b1000_1000, 0b1100_0110, 0b1111_1010])
    }

    @Test func runsAndLiteralsFollowTheSpecification() {
        #expect(runLengthBytes([4, 4, 4, 4, 4, 4, 4, 4, 4], bitWidth: 3) == [9 << 1, 4])
        // Three literals borrow five values of the run; 20 - 5 are left for it.
        let mixed: [UInt32] = [1, 2, 3] + [UInt32](repeating: 7, count: 20)
        #expect(runLengthBytes(mixed, bitWidth: 3) == [1 << 1 | 1, 0b1101_0001, 0b1111_1110, 0xFF, 15 << 1, 7])
        #expect(runLengthBytes([1], bitWidth: 1) == [1 << 1 | 1, 1])
        #expect(runLengthBytes([], bitWidth: 1) == [])
        #expect(runLengthBytes([UInt32](repeating: 300, count: 8), bitWidth: 9) == [8 << 1, 0x2C, 0x01])
    }

    @Test(arguments: 0..<40) func runLengthEncodingRoundTrips(seed: UInt64) {
        var random = SplitMix(seed)
        let width = Int.random(in: 1...20, using: &random)
        var values: [UInt32] = []
        while values.count < Int.random(in: 0...3_000, using: &random) {
            let value = UInt32.random(in: 0..<(1 << UInt32(width)), using: &random)
            values += [UInt32](repeating: value, count: Int.random(in: 1...(seed % 2 == 0 ? 3 : 40), using: &random))
        }
        #expect(decodeRunLength(runLengthBytes(values, bitWidth: width), count: values.count, bitWidth: width) == values)
    }

    @Test func deltasFollowTheSpecification() {
        #expect(deltaBytes([1, 2, 3, 4, 5]) == [0x80, 1, 4, 5, 2, 2, 0, 0, 0, 0])
        #expect(deltaBytes([]) == [0x80, 1, 4, 0, 0])
        #expect(deltaBytes([-7]) == [0x80, 1, 4, 1, 13])
    }

    @Test(arguments: 0..<60) func deltasRoundTripWithWrapAround(seed: UInt64) {
        var random = SplitMix(seed)
        let spans: [ClosedRange<Int64>] = [.min ... .max, -5...5, 0...0, 1_700_000_000_000_000...1_700_000_100_000_000]
        let span = spans[Int(seed) % spans.count]
        let count = Int.random(in: 0...700, using: &random)
        let values = (0..<count).map { _ in
            seed % 5 == 0 ? [Int64.min, .max, 0].randomElement(using: &random)! : Int64.random(in: span, using: &random)
        }
        #expect(decodeDelta(deltaBytes(values)) == values)
    }

    @Test(arguments: [0, 1, 7, 8, 9, 16, 1_003]) func bytesAreSplitIntoStreams(count: Int) {
        var random = SplitMix(UInt64(count))
        let words = (0..<count).map { _ in random.next() }
        var bytes = RawBuffer()
        bytes.append(7 as UInt8)
        words.withUnsafeBufferPointer { ByteStreamSplit.append($0, to: &bytes) }
        let streams = (0..<8).flatMap { byte in words.map { UInt8(truncatingIfNeeded: $0 >> UInt64(8 * byte)) } }
        #expect(bytes.array == [7] + streams)
    }

    /// Values of the reference implementation.
    @Test(
        arguments: [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
            ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
            ("The quick brown fox jumps over the lazy dog", 0x0B24_2D36_1FDA_71BC),
        ] as [(String, UInt64)])
    func hashIsXXH64(text: String, hash: UInt64) {
        #expect(Array(text.utf8).withUnsafeBytes { XXHash64.hash($0) } == hash)
    }

    @Test func bloomFilterHasWhatWasInsertedAndLittleElse() {
        var filter = BloomFilter(distinctCount: 3_000)
        for number in 0..<3_000 as Range<UInt64> { filter.insert(XXHash64.hash(number)) }
        #expect((0..<3_000 as Range<UInt64>).allSatisfy { filter.mayContain(XXHash64.hash($0)) })
        let falsePositives = (3_000..<103_000 as Range<UInt64>).filter { filter.mayContain(XXHash64.hash($0)) }.count
        #expect(falsePositives < 1_000)
        #expect(BloomFilter.byteCount(1) == 32 && BloomFilter.byteCount(27) == 64 && BloomFilter.byteCount(3_000) == 4_096)
        #expect(BloomFilter.byteCount(1 << 40) == 128 << 20)
    }

    @Test(arguments: 0..<20) func wordDictionaryNumbersEveryWord(seed: UInt64) {
        var random = SplitMix(seed)
        let distinct = UInt64.random(in: 1...3_000, using: &random)
        let words = (0..<5_000).map { _ in UInt64.random(in: 0..<distinct, using: &random) &* 0x0100_0000_0001 }
        var dictionary = WordDictionary()
        #expect(!words.withUnsafeBufferPointer { dictionary.build($0, limit: Set(words).count - 1) })
        #expect(words.withUnsafeBufferPointer { dictionary.build($0, limit: Set(words).count) })
        #expect(dictionary.indices.map { dictionary.entries[Int($0)] } == words)
        #expect(Set(dictionary.entries).count == dictionary.entries.count)
    }

    @Test func dictionaryNumbersByFirstAppearance() {
        var dictionary = ByteDictionary()
        let words = (0..<5_000).map { "value-\($0 % 1_000)" }
        let numbers = words.map { word in Array(word.utf8).withUnsafeBytes { dictionary.index(of: $0) } }
        #expect(dictionary.count == 1_000)
        #expect(numbers == (0..<5_000).map { $0 % 1_000 })
        #expect(dictionary.bytes[dictionary.range(999)].elementsEqual("value-999".utf8))
    }
}

extension PageChecksum {
    fileprivate static func crc32(of text: String) -> UInt32 { Array(text.utf8).withUnsafeBytes { crc32($0) } }
}

private func runLengthBytes(_ values: [UInt32], bitWidth: Int) -> [UInt8] {
    var bytes = RawBuffer()
    values.withUnsafeBufferPointer { RunLengthEncoding.append($0, bitWidth: bitWidth, to: &bytes) }
    return bytes.copy
}

private func deltaBytes(_ values: [Int64]) -> [UInt8] {
    var bytes = RawBuffer()
    values.map { UInt64(bitPattern: $0) }.withUnsafeBufferPointer { DeltaBinaryPacked.append($0, to: &bytes) }
    return bytes.copy
}

/// A reader written from the specification, not from the writer.
private struct BitReader {
    var bytes: ArraySlice<UInt8>

    mutating func varint() -> UInt64 {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        while let byte = bytes.popFirst() {
            value |= UInt64(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        return value
    }

    mutating func zigzag() -> Int64 {
        let value = varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func packed(_ count: Int, bitWidth: Int) -> [UInt64] {
        let body = Array(bytes.prefix(count * bitWidth / 8))
        bytes = bytes.dropFirst(body.count)
        return (0..<count).map { index in
            (0..<bitWidth).reduce(UInt64(0)) { value, bit in
                let position = index * bitWidth + bit
                return value | UInt64(body[position / 8] >> UInt8(position % 8) & 1) << UInt64(bit)
            }
        }
    }
}

private func decodeRunLength(_ bytes: [UInt8], count: Int, bitWidth: Int) -> [UInt32] {
    var reader = BitReader(bytes: bytes[...])
    var values: [UInt32] = []
    while !reader.bytes.isEmpty {
        let header = reader.varint()
        if header & 1 == 1 {
            values += reader.packed(Int(header >> 1) * 8, bitWidth: bitWidth).map { UInt32($0) }
        } else {
            let value = (0..<((bitWidth + 7) / 8)).reduce(UInt32(0)) { $0 | UInt32(reader.bytes.popFirst() ?? 0) << UInt32(8 * $1) }
            values += [UInt32](repeating: value, count: Int(header >> 1))
        }
    }
    return Array(values.prefix(count))
}

private func decodeDelta(_ bytes: [UInt8]) -> [Int64] {
    var reader = BitReader(bytes: bytes[...])
    let (blockCount, miniblocks, total) = (Int(reader.varint()), Int(reader.varint()), Int(reader.varint()))
    var values = [reader.zigzag()]
    while values.count < total {
        let least = reader.zigzag()
        let widths = (0..<miniblocks).map { _ in Int(reader.bytes.popFirst() ?? 0) }
        for width in widths where values.count < total {
            for delta in reader.packed(blockCount / miniblocks, bitWidth: width) where values.count < total {
                values.append(values[values.count - 1] &+ least &+ Int64(bitPattern: delta))
            }
        }
    }
    return Array(values.prefix(total))
}

/// A small seeded generator: the same numbers on every machine.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
