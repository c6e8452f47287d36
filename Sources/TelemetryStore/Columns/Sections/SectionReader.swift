import TelemetryCodec

/// Stored sections back to raw bytes, one behind the other.
struct SectionReader: ~Copyable {
    private struct Section {
        var coding: SectionCoding
        var packing: UInt8
        var rawCount: Int
        var stored = UnsafeRawBufferPointer(start: nil, count: 0)

        /// Bytes before unpacking.
        var packedCount: Int { (rawCount + (1 << Int(packing)) - 1) >> Int(packing) }
    }

    /// Made when a section needs one: a zstd context is 100 KiB.
    private struct Decoders: ~Copyable {
        private var zstd: ZstdSectionDecompressor?
        private var range: RangeDecoder?

        mutating func zstd(_ source: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) throws(CodecError) {
            if zstd == nil { zstd = ZstdSectionDecompressor() }
            try zstd!.decompress(source, into: output)
        }

        mutating func range(_ source: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) throws(CodecError) {
            if range == nil { range = RangeDecoder() }
            try range!.decode(source, into: output)
        }
    }

    private var cursor: ByteCursor
    private var previousRawCount = 0

    init(_ stored: UnsafeRawBufferPointer) { cursor = ByteCursor(stored) }

    /// Raw bytes of all sections.
    static func rawByteCount(_ stored: UnsafeRawBufferPointer) throws(CodecError) -> Int {
        var reader = SectionReader(stored)
        var count = 0
        while !reader.cursor.isAtEnd {
            count += try reader.next().rawCount
            guard count <= ColumnFormat.maximumRawByteCount else { throw .malformed }
        }
        return count
    }

    /// Fills `output`, which has `rawByteCount` bytes.
    static func read(_ stored: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(CodecError) {
        var reader = SectionReader(stored)
        var decoders = Decoders()
        var offset = 0
        while !reader.cursor.isAtEnd {
            let section = try reader.next()
            let target = UnsafeMutableRawBufferPointer(rebasing: output[offset..<(offset + section.rawCount)])
            try fill(target, with: section, &decoders)
            offset += section.rawCount
        }
    }

    private mutating func next() throws(CodecError) -> Section {
        let head = try cursor.byte()
        guard let coding = SectionCoding(rawValue: head & 3), head & 0x70 == 0 else { throw .malformed }
        let rawCount = head & 0x80 != 0 ? previousRawCount : try cursor.count(limit: ColumnFormat.maximumRawByteCount)
        previousRawCount = rawCount
        var section = Section(coding: coding, packing: head >> 2 & 3, rawCount: rawCount)
        switch coding {
        case .plain: section.stored = try cursor.slice(section.packedCount)
        case .constant:
            guard rawCount <= ColumnFormat.maximumConstantByteCount else { throw .malformed }
            section.stored = try cursor.slice(1)
        case .zstd, .coded:
            section.stored = try cursor.countedBytes()
            guard rawCount >> 3 <= section.stored.count * ColumnFormat.maximumExpansion else { throw .malformed }
        }
        return section
    }

    private static func fill(
        _ target: UnsafeMutableRawBufferPointer, with section: Section, _ decoders: inout Decoders
    ) throws(CodecError) {
        let packed = UnsafeMutableRawBufferPointer(rebasing: target[(target.count - section.packedCount)...])
        switch section.coding {
        case .plain: packed.copyMemory(from: section.stored)
        case .constant: packed.initializeMemory(as: UInt8.self, repeating: section.stored[0])
        case .zstd: try decoders.zstd(section.stored, packed)
        case .coded: try decoders.range(section.stored, packed)
        }
        if section.packing > 0 { try unpack(target, section.packing) }
    }

    /// Unpacks the bytes at the end of `target` over it, front to back: what is written was read before.
    private static func unpack(_ target: UnsafeMutableRawBufferPointer, _ packing: UInt8) throws(CodecError) {
        let perByte = 1 << Int(packing)
        let width = UInt8(8) >> packing
        let mask = UInt8(truncatingIfNeeded: (1 << Int(width)) - 1)
        let first = target.count - ((target.count + perByte - 1) >> Int(packing))
        var source = first
        var rest: UInt8 = 0
        for start in stride(from: 0, to: target.count, by: perByte) {
            var byte = target[source]
            source += 1
            for index in start..<min(start + perByte, target.count) {
                target[index] = byte & mask
                byte >>= width
            }
            rest = byte
        }
        // What the last byte has room for and no raw byte.
        guard rest == 0 else { throw .malformed }
    }
}
