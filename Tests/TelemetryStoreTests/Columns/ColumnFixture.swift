import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// A column to encode: rows, bits, arena and pieces, and the way there and back.
struct ColumnFixture {
    var type: FieldType
    var rows: [Int32] = []
    var bits: [UInt64] = []
    var arena: [UInt8] = []
    var pieces: FramePieces

    init(type: FieldType, pieces: FramePieces) {
        self.type = type
        self.pieces = pieces
    }

    /// Values of neighbouring rows from the first.
    init(_ values: [FieldValue], pieceRowCount: Int? = nil) {
        let starts = stride(from: 0, to: values.count, by: max(1, pieceRowCount ?? values.count)).map { Int32($0) }
        self.init(type: values.first?.type ?? .integer, pieces: FramePieces(starts: starts, rowCount: values.count))
        for (row, value) in values.enumerated() { append(value, row: row) }
    }

    mutating func append(_ value: FieldValue, row: Int) {
        rows.append(Int32(row))
        switch value {
        case .integer(let value): bits.append(UInt64(bitPattern: value))
        case .double(let value): bits.append(value.bitPattern)
        case .boolean(let value): bits.append(value ? 1 : 0)
        case .string(let text): append(bytes: Array(text.utf8))
        case .binary(let bytes): append(bytes: bytes)
        }
    }

    private mutating func append(bytes: [UInt8]) {
        bits.append(UInt64(arena.count) << 32 | UInt64(bytes.count))
        arena += bytes
    }

    /// The stored chunk.
    func encoded(level: Int32 = 3) -> [UInt8] {
        var encoder = ColumnEncoder(compressionLevel: level)
        return encoded(by: &encoder)
    }

    func encoded(by encoder: inout ColumnEncoder) -> [UInt8] {
        var output = RawBuffer()
        rows.withUnsafeBufferPointer { rows in
            bits.withUnsafeBufferPointer { bits in
                arena.withUnsafeBytes { arena in
                    encoder.encode(type: type, rows: rows, bits: bits, arena: arena, pieces: pieces, into: &output)
                }
            }
        }
        return output.withBytes { Array($0) }
    }

    /// What the rows hold: bits, or the bytes of strings; nil where there is no value.
    func expected() -> [Content?] {
        var contents = [Content?](repeating: nil, count: pieces.rowCount)
        for (row, bits) in zip(rows, bits) { contents[Int(row)] = arena.withUnsafeBytes { Content(type, bits, $0) } }
        return contents
    }

    /// Every piece decoded whole.
    func decoded(_ stored: [UInt8]) throws -> [Content?] {
        try decoded(stored, ranges: (0..<pieces.count).map { (piece: $0, rows: pieces.rows(of: $0)) })
    }

    func decoded(_ stored: [UInt8], ranges: [(piece: Int, rows: Range<Int>)]) throws -> [Content?] {
        let raw = try stored.withUnsafeBytes { try ColumnChunk.decompress($0) }
        defer { withExtendedLifetime(raw) {} }
        let chunk = try ColumnChunk(raw.buffer, type: type, rowCount: pieces.rowCount, pieceCount: pieces.count)
        var run = ColumnRun()
        var contents: [Content?] = []
        for (piece, rows) in ranges {
            try chunk.decode(rows: rows, piece: piece, pieceStart: Int(pieces.starts[piece]), into: &run)
            for row in 0..<rows.count { contents.append(run[row].map { Content(type, $0, raw.buffer) }) }
        }
        return contents
    }
}

/// A value by itself, comparable bit by bit.
enum Content: Equatable {
    case bits(UInt64)
    case bytes([UInt8])

    init(_ type: FieldType, _ bits: UInt64, _ arena: UnsafeRawBufferPointer) {
        guard type.isBytes else {
            self = .bits(bits)
            return
        }
        let offset = Int(bits >> 32)
        self = .bytes(Array(arena[offset..<(offset + Int(bits & 0xFFFF_FFFF))]))
    }
}

/// SplitMix64: a failing seed can be run again.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
