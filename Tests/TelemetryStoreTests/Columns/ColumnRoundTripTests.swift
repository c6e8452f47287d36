import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

@Suite("Column chunks: round trips")
struct ColumnRoundTripTests {
    private func expectRoundTrip(_ fixture: ColumnFixture, _ comment: Comment? = nil) throws {
        #expect(try fixture.decoded(fixture.encoded()) == fixture.expected(), comment)
    }

    @Test("numbers at the ends of their range come back", arguments: [1, 2, 3, 1_000])
    func extremes(pieceRowCount: Int) throws {
        let integers: [Int64] = [.min, .max, 0, -1, 1, .max, .min, .min + 1, 5]
        try expectRoundTrip(ColumnFixture(integers.map { .integer($0) }, pieceRowCount: pieceRowCount))
        let doubles: [Double] = [
            0, -0.0, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .pi, 0.1, 1e15, 0x1p53, -0x1p53 - 2,
            Double(bitPattern: 0x7FF0_0000_0000_0001), Double(bitPattern: 0xFFF8_0000_0000_BEEF), .nan,
        ]
        try expectRoundTrip(ColumnFixture(doubles.map { .double($0) }, pieceRowCount: pieceRowCount))
        let mostlyDecimal = (0..<100).map { Double($0) / 10 } + doubles
        try expectRoundTrip(ColumnFixture(mostlyDecimal.map { .double($0) }, pieceRowCount: pieceRowCount))
    }

    @Test("byte strings come back: empty, not UTF-8, 64 KiB")
    func byteStrings() throws {
        let large = [UInt8]((0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 5) })
        try expectRoundTrip(ColumnFixture([.binary([]), .binary(large), .binary([0xFF, 0xC0, 0]), .binary([]), .binary(large)]))
        try expectRoundTrip(ColumnFixture([.string(""), .string(""), .string("")]))
        try expectRoundTrip(ColumnFixture((0..<500).map { .string(["ok", "warn", "grün", ""][$0 % 4]) }, pieceRowCount: 7))
        try expectRoundTrip(ColumnFixture((0..<500).map { .string("serial \($0 * 7_919)") }, pieceRowCount: 60))
    }

    @Test("a column that no row has comes back")
    func noValues() throws {
        for type in FieldType.allCases {
            try expectRoundTrip(ColumnFixture(type: type, pieces: FramePieces(starts: [0, 2], rowCount: 5)))
        }
    }

    @Test("random columns come back, whole and in parts", arguments: 0..<400 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let fixture = ColumnFixture.random(&random)
        let stored = fixture.encoded(level: Int32(seed % 4 + 1))
        let expected = fixture.expected()
        #expect(try fixture.decoded(stored) == expected, "seed \(seed)")
        var ranges: [(piece: Int, rows: Range<Int>)] = []
        for _ in 0..<20 {
            let piece = Int.random(in: 0..<fixture.pieces.count, using: &random)
            let rows = fixture.pieces.rows(of: piece)
            let (a, b) = (Int.random(in: rows, using: &random), Int.random(in: rows, using: &random))
            ranges.append((piece, min(a, b)..<(max(a, b) + Int.random(in: 0...1, using: &random))))
        }
        #expect(try fixture.decoded(stored, ranges: ranges) == ranges.flatMap { expected[$0.rows] }, "seed \(seed)")
    }

    @Test("one encoder gives the same bytes for a column whatever it encoded before")
    func reuse() {
        var encoder = ColumnEncoder(compressionLevel: 3)
        var random = SeededRandom(seed: 7)
        for _ in 0..<50 {
            let fixture = ColumnFixture.random(&random)
            #expect(fixture.encoded(by: &encoder) == fixture.encoded())
        }
    }

    @Test("times come back", arguments: 0..<60 as Range<UInt64>)
    func times(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let pieces = FramePieces.random(&random)
        var times: [Int64] = []
        for row in 0..<pieces.rowCount {
            switch seed % 4 {
            case 0: times.append(1_700_000_000_000_000 - Int64(row) * 1_000_000)
            case 1: times.append(1_700_000_000_000_000 - Int64(row) * 1_000_000 + Int64.random(in: 0..<10, using: &random) * 1_000)
            case 2: times.append(Int64.random(in: .min ... .max, using: &random))
            default: times.append([.min, .max][Int.random(in: 0...1, using: &random)])
            }
        }
        var encoder = ColumnEncoder(compressionLevel: 3)
        var output = RawBuffer()
        times.withUnsafeBufferPointer { encoder.encodeTimes($0, pieces: pieces, into: &output) }
        let raw = try output.withBytes { (bytes) throws(CodecError) in try ColumnChunk.decompress(bytes) }
        defer { withExtendedLifetime(raw) {} }
        let chunk = try ColumnChunk(times: raw.buffer, rowCount: pieces.rowCount, pieceCount: pieces.count)
        for piece in 0..<pieces.count {
            let all = pieces.rows(of: piece)
            let rows = Int.random(in: all, using: &random)..<all.upperBound
            var decoded: [Int64] = []
            try chunk.decodeTimes(rows: rows, piece: piece, pieceStart: all.lowerBound, first: times[all.lowerBound], into: &decoded)
            #expect(decoded == Array(times[rows]), "seed \(seed)")
        }
    }
}

extension FramePieces {
    static func random(_ random: inout SeededRandom) -> FramePieces {
        let rowCount = [1, 2, 5, 60, 300, 4_096].randomElement(using: &random)!
        let longest = [1, 3, 64, 5_000].randomElement(using: &random)!
        var pieces = FramePieces(rowCount: rowCount)
        var row = 0
        while row < rowCount {
            pieces.starts.append(Int32(row))
            row += Int.random(in: 1...longest, using: &random)
        }
        return pieces
    }
}

extension ColumnFixture {
    /// A column of any type, shape and presence.
    static func random(_ random: inout SeededRandom) -> ColumnFixture {
        var fixture = ColumnFixture(type: FieldType.allCases.randomElement(using: &random)!, pieces: .random(&random))
        let make = generator(fixture.type, &random)
        let density = [1.0, 1.0, 0.9, 0.5, 0.01].randomElement(using: &random)!
        let isByPiece = Bool.random(using: &random)
        for piece in 0..<fixture.pieces.count {
            let isInPiece = Double.random(in: 0..<1, using: &random) < density
            for row in fixture.pieces.rows(of: piece) where isByPiece ? isInPiece : Double.random(in: 0..<1, using: &random) < density {
                fixture.append(make(row, &random), row: row)
            }
        }
        return fixture
    }

    private static func generator(_ type: FieldType, _ random: inout SeededRandom) -> (Int, inout SeededRandom) -> FieldValue {
        let shape = Int.random(in: 0..<7, using: &random)
        let base = Int64.random(in: -1_000_000...1_000_000, using: &random)
        switch (type, shape) {
        case (.boolean, 0): return { _, _ in .boolean(true) }
        case (.boolean, _): return { _, random in .boolean(Int.random(in: 0...shape, using: &random) == 0) }
        case (.integer, 0): return { _, _ in .integer(base) }
        case (.integer, 1): return { row, _ in .integer(base + Int64(row) * 3_600) }
        case (.integer, 2): return { row, random in .integer(base - Int64(row) * 1_000 + Int64.random(in: 0...9, using: &random)) }
        case (.integer, 3): return { _, random in .integer(Int64.random(in: .min ... .max, using: &random)) }
        case (.integer, 4): return { _, random in .integer(Int64.random(in: 0...3, using: &random) * 0x1234_5678_9ABC) }
        case (.integer, 5): return { _, random in .integer([.min, .max, 0].randomElement(using: &random)!) }
        case (.integer, _): return { _, random in .integer(base + Int64.random(in: -5...5, using: &random) * 1_000) }
        case (.double, 0): return { _, _ in .double(0.1) }
        case (.double, 1): return { row, random in .double(Double(row / 3 + Int.random(in: -2...2, using: &random)) / 100) }
        case (.double, 2): return { _, random in .double(Double.random(in: -1...1, using: &random)) }
        case (.double, 3): return { _, random in .double(Double(bitPattern: random.next())) }
        case (.double, 4): return { _, random in .double([0.5, .nan, -0.0, .infinity, .pi].randomElement(using: &random)!) }
        case (.double, 5): return { row, _ in .double(row % 40 == 0 ? .nan : Double(row) / 10) }
        case (.double, _): return { row, random in .double(Double(row) * 1e12 + Double.random(in: 0...1, using: &random)) }
        case (.binary, _):
            return { _, random in
                let count = Int.random(in: 0...(1 << shape), using: &random)
                return .binary((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
            }
        case (.string, 0): return { _, _ in .string("") }
        case (.string, 1): return { _, random in .string(["ok", "warning", "error"].randomElement(using: &random)!) }
        case (.string, _):
            return { row, random in .string("\(row) " + String(repeating: "ä", count: Int.random(in: 0...shape, using: &random))) }
        }
    }
}
