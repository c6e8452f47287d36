import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// Bytes as docs/format/column-chunk.md says, for ever readable.
@Suite("Column chunks: golden bytes")
struct ColumnGoldenTests {
    private func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return bytes.map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined(separator: " ")
    }

    private func check(_ fixture: ColumnFixture, _ golden: String) throws {
        let stored = fixture.encoded()
        #expect(hex(stored) == golden)
        let bytes = golden.split(separator: " ").compactMap { UInt8($0, radix: 16) }
        #expect(try fixture.decoded(bytes) == fixture.expected())
    }

    @Test("integers by offset, with a divisor")
    func integers() throws {
        try check(ColumnFixture([10, 30, -10, 50, 10].map { .integer($0) }), "04 00 10 14 13 08 05 c9 01")
    }

    @Test("integers by differences, in two pieces")
    func differences() throws {
        try check(
            ColumnFixture((0..<64).map { .integer(Int64($0) * $0) }, pieceRowCount: 40),
            """
            07 00 11 01 00 7e 00 02 00 02 00 40 84 60 00 40 00 7b 77 73 6f 6b 67 63 5f 5b 57 53 4f 4b 47 43 3f 3b 37 33 \
            2f 2b 27 23 1f 1b 17 13 0f 0b 07 03 00 04 08 0c 10 14 18 1c 00 24 28 2c 30 34 38 3c 40 44 48 4c 50 54 58 5c \
            60 64 68 6c 70 74 78 7c
            """)
    }

    @Test("decimal doubles with an exception, and a bitmap of rows")
    func doubles() throws {
        var fixture = ColumnFixture(type: .double, pieces: FramePieces(starts: [0], rowCount: 40))
        for row in 0..<30 where row % 3 != 1 { fixture.append(.double(row == 20 ? -0.0 : Double(row) / 4), row: row) }
        try check(
            fixture,
            """
            07 01 01 02 01 10 19 00 00 05 6d db b6 2d 00 04 02 0d 00 08 00 00 00 00 00 00 00 80 00 14 00 02 03 05 06 08 \
            09 0b 0c 0e 0f 11 12 12 15 17 18 1a 1b 1d
            """)
    }

    @Test("full doubles by dictionary, in a run of rows")
    func dictionary() throws {
        var fixture = ColumnFixture(type: .double, pieces: FramePieces(starts: [0, 100], rowCount: 130))
        for row in 100..<130 { fixture.append(.double([Double.pi, -1.1e-300][row * row % 7 & 1]), row: row) }
        try check(
            fixture,
            """
            1e 02 01 02 02 01 01 00 fa 93 ba d6 a6 b0 b8 9e 83 01 98 da 90 a2 b5 bf c8 84 40 00 10 01 00 00 04 64 00 82 \
            00 0c 1e 50 28 14 0a
            """)
    }

    @Test("strings: each, and by dictionary")
    func strings() throws {
        try check(ColumnFixture([.string("grün"), .string(""), .string("b")]), "06 00 00 06 10 01 00 04 03 05 01 00 06 67 72 c3 bc 6e 62")
        try check(
            ColumnFixture((0..<16).map { .string($0 % 3 == 0 ? "error" : "ok") }),
            "0a 00 01 02 07 10 03 04 10 01 00 0c 02 01 00 07 65 72 72 6f 72 6f 6b 0c 10 b6 6d")
    }

    @Test("coded bytes")
    func coded() throws {
        var random = SeededRandom(seed: 3)
        let values = (0..<120).map { _ in Int64.random(in: 0...3, using: &random) * Int64.random(in: 0...3, using: &random) }
        try check(
            ColumnFixture(values.map { .integer($0) }),
            """
            04 00 10 01 00 03 78 31 09 98 03 45 0d 10 01 40 02 4d d4 b4 0d 6a d6 e2 d2 0f 1e 17 44 3c b5 2a 69 f5 51 65 \
            b5 aa 75 fd 37 23 ff fc 91 a5 a5 06 e1 1c 26 db ec 8e 36 0c 4f
            """)
    }

    @Test("times at an even pace, with noise")
    func times() throws {
        let noise: [Int64] = [0, 3, 1, 2, 0, 1, 3, 3, 2, 0]
        let times = noise.enumerated().map { 1_700_000_000_000_000 - Int64($0) * 1_000_000 - $1 * 1_000 }
        let pieces = FramePieces(starts: [0], rowCount: times.count)
        var encoder = ColumnEncoder(compressionLevel: 3)
        var output = RawBuffer()
        times.withUnsafeBufferPointer { encoder.encodeTimes($0, pieces: pieces, into: &output) }
        #expect(hex(output.withBytes { Array($0) }) == "0d 00 11 e8 07 ff d0 ca 08 cf 0f a8 46 00 04 0a 50 14 14 03 42")
    }
}
