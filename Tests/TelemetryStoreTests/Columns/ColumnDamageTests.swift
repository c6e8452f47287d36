import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// Hostile chunks give values or an error; they never trap, and allocate no more than sizes that are plausible.
@Suite("Column chunks: damage")
struct ColumnDamageTests {
    /// Decodes all there is; says whether it could.
    private func isReadable(_ fixture: ColumnFixture, _ stored: [UInt8]) -> Bool {
        (try? fixture.decoded(stored)) != nil
    }

    /// The same, from the raw bytes: damage behind decompression.
    private func isReadable(_ fixture: ColumnFixture, raw: [UInt8]) -> Bool {
        raw.withUnsafeBytes { raw in
            do throws(CodecError) {
                let chunk = try ColumnChunk(raw, type: fixture.type, rowCount: fixture.pieces.rowCount, pieceCount: fixture.pieces.count)
                var run = ColumnRun()
                for piece in 0..<fixture.pieces.count {
                    let rows = fixture.pieces.rows(of: piece)
                    let part = (rows.lowerBound + rows.count / 2)..<rows.upperBound
                    try chunk.decode(rows: part, piece: piece, pieceStart: rows.lowerBound, into: &run)
                    guard fixture.type.isBytes else { continue }
                    for row in 0..<part.count { if let bits = run[row] { _ = Content(fixture.type, bits, raw) } }
                }
                return true
            } catch {
                return false
            }
        }
    }

    private func raw(_ stored: [UInt8]) throws -> [UInt8] {
        let raw = try stored.withUnsafeBytes { try ColumnChunk.decompress($0) }
        return withExtendedLifetime(raw) { Array(raw.buffer) }
    }

    @Test("a chunk cut short anywhere is an error", arguments: 0..<40 as Range<UInt64>)
    func truncation(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let fixture = ColumnFixture.random(&random)
        let stored = fixture.encoded()
        let raw = try raw(stored)
        for count in stride(from: 0, to: stored.count, by: max(1, stored.count / 500)) {
            #expect(!isReadable(fixture, Array(stored[..<count])), "seed \(seed), \(count) of \(stored.count) bytes")
        }
        for count in stride(from: 0, to: raw.count, by: max(1, raw.count / 500)) {
            #expect(!isReadable(fixture, raw: Array(raw[..<count])), "seed \(seed), \(count) of \(raw.count) raw bytes")
        }
    }

    @Test("flipped bytes give values or an error", arguments: 0..<60 as Range<UInt64>)
    func flips(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let fixture = ColumnFixture.random(&random)
        let stored = fixture.encoded()
        let raw = try raw(stored)
        for _ in 0..<300 {
            _ = isReadable(fixture, flipped(stored, &random))
            _ = isReadable(fixture, raw: flipped(raw, &random))
        }
    }

    /// Some bytes other than they were, most of them near the front, where the sizes are.
    private func flipped(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let end = Bool.random(using: &random) ? bytes.count : min(bytes.count, 48)
            bytes[Int.random(in: 0..<end, using: &random)] = [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)]
                .randomElement(using: &random)!
        }
        return bytes
    }

    @Test("random bytes give values or an error", arguments: 0..<20 as Range<UInt64>)
    func noise(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let fixture = ColumnFixture.random(&random)
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = isReadable(fixture, bytes)
            _ = isReadable(fixture, raw: bytes)
        }
    }

    @Test("a chunk that claims gigabytes is refused before they are allocated")
    func giantSizes() {
        let sizes: [[UInt8]] = [
            [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0x00],
            [0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x04, 1, 2, 3, 4],
            [0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0x04, 1, 2, 3, 4],
            [0x03, 0xFF, 0xFF, 0xFF, 0x01, 0x04, 1, 2, 3, 4],
        ]
        for size in sizes {
            let stored = [0] + size
            #expect(throws: CodecError.self) { try stored.withUnsafeBytes { _ = try ColumnChunk.decompress($0) } }
        }
    }

    @Test("bits that fill up a byte are zero, or the chunk is refused")
    func fillingBits() throws {
        // The document's example: of the last byte, two bits are a value.
        let packed: [UInt8] = [0x04, 0x00, 0x10, 0x14, 0x13, 0x08, 0x05, 0xC9, 0x01]
        let fixture = ColumnFixture([10, 30, -10, 50, 10].map { .integer($0) })
        #expect(fixture.encoded() == packed && isReadable(fixture, packed))
        for bit in 2..<8 as Range<UInt8> { #expect(!isReadable(fixture, packed[..<8] + [0x01 | 1 << bit]), "bit \(bit)") }

        // Every other one of 21 rows: a bitmap of three bytes, the first part of the raw bytes.
        var sparse = ColumnFixture(type: .integer, pieces: FramePieces(starts: [0], rowCount: 21))
        for row in stride(from: 0, to: 21, by: 2) { sparse.append(.integer(Int64(row)), row: row) }
        var bytes = try raw(sparse.encoded())
        let end = Int(bytes[0]) + 1 + 3
        try #require(bytes[1] == PresenceKind.bitmap.rawValue && bytes[end - 1] == 0b1_0101)
        #expect(isReadable(sparse, raw: bytes))
        for bit in 5..<8 as Range<UInt8> {
            bytes[end - 1] = 0b1_0101 | 1 << bit
            #expect(!isReadable(sparse, raw: bytes), "bit \(bit)")
        }

        // Bytes up to 4: five codes of six bits, and two to fill.
        let content = (0..<2_000).map { UInt8(truncatingIfNeeded: $0 * $0 % 5) }
        var coded = RawBuffer()
        var encoder = RangeEncoder()
        try #require(content.withUnsafeBytes { encoder.encode($0, into: &coded) })
        #expect(decoded(coded.withBytes { Array($0) }, count: content.count) == content)
        for bit in 6..<8 as Range<UInt8> {
            var wrong = coded.withBytes { Array($0) }
            wrong[4] |= 1 << bit
            #expect(decoded(wrong, count: content.count) == nil, "bit \(bit)")
        }
    }

    private func decoded(_ coded: [UInt8], count: Int) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: count)
        var decoder = RangeDecoder()
        let isReadable: Void? = try? output.withUnsafeMutableBytes { output in
            try coded.withUnsafeBytes { try decoder.decode($0, into: output) }
        }
        return isReadable.map { output }
    }

    @Test("rows and pieces that the chunk does not have are an error")
    func outOfRange() throws {
        let fixture = ColumnFixture((0..<20).map { .integer(Int64($0 * $0)) }, pieceRowCount: 10)
        let raw = try raw(fixture.encoded())
        raw.withUnsafeBytes { raw in
            var run = ColumnRun()
            for (rows, piece, start) in [(0..<21, 0, 0), (0..<5, 2, 0), (0..<5, -1, 0), (0..<5, 0, 3), (0..<5, 0, -1), (-1..<5, 0, -1)] {
                #expect(throws: CodecError.self) {
                    let chunk = try ColumnChunk(raw, type: .integer, rowCount: 20, pieceCount: 2)
                    try chunk.decode(rows: rows, piece: piece, pieceStart: start, into: &run)
                }
            }
        }
    }
}
