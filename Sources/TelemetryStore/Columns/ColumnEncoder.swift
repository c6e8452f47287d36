import Telemetry
import TelemetryCodec

/// Encodes the columns of frames. One owner; its buffers are reused. Source: docs/format/column-chunk.md.
struct ColumnEncoder: ~Copyable {
    private var chunk: ChunkBuilder
    private var stream = StreamWriter()
    private var strings = StringDictionary()
    private var numbers = NumberDictionary()
    /// Position of the first value of each piece, then the number of values.
    private var positions: [Int32] = []
    private var scratch = RawBuffer(capacity: 1 << 12)

    init(compressionLevel: Int32) { chunk = ChunkBuilder(compressionLevel: compressionLevel) }

    // MARK: - Times

    /// Appends the times of all rows, each as its difference to the first of its piece, which is kept elsewhere.
    mutating func encodeTimes(_ times: UnsafeBufferPointer<Int64>, pieces: borrowing FramePieces, into output: inout RawBuffer) {
        precondition(times.count == pieces.rowCount && times.count <= ColumnFormat.maximumRowCount)
        chunk.begin()
        stream.values.resize(times.count)
        for piece in 0..<pieces.count {
            let rows = pieces.rows(of: piece)
            let first = times[rows.lowerBound]
            for row in rows { stream.values.base[row] = UInt64(bitPattern: times[row] &- first) }
        }
        chunk.header.append(PresenceKind.everyRow.rawValue)
        positions.removeAll(keepingCapacity: true)
        positions.append(contentsOf: pieces.starts)
        positions.append(Int32(pieces.rowCount))
        stream.write(.numbers, positions: positions, into: &chunk)
        chunk.finish(into: &output)
    }

    // MARK: - Columns

    /// Appends a column.
    /// - Parameters:
    ///   - rows: rows of the frame that have a value, ascending.
    ///   - bits: `Cell.bits` of each; strings and binaries name slices of `arena`.
    mutating func encode(
        type: FieldType, rows: UnsafeBufferPointer<Int32>, bits: UnsafeBufferPointer<UInt64>, arena: UnsafeRawBufferPointer,
        pieces: borrowing FramePieces, into output: inout RawBuffer
    ) {
        precondition(rows.count == bits.count && rows.count <= pieces.rowCount && pieces.rowCount <= ColumnFormat.maximumRowCount)
        chunk.begin()
        locatePieces(rows, pieces)
        encodePresence(rows, rowCount: pieces.rowCount)
        switch type {
        case .integer, .boolean:
            load(bits)
            stream.write(.numbers, positions: positions, into: &chunk)
        case .double: encodeDoubles(bits)
        case .string, .binary: encodeBytes(bits, arena)
        }
        chunk.finish(into: &output)
    }

    private mutating func locatePieces(_ rows: UnsafeBufferPointer<Int32>, _ pieces: borrowing FramePieces) {
        positions.removeAll(keepingCapacity: true)
        var position = 0
        for start in pieces.starts {
            while position < rows.count, rows[position] < start { position += 1 }
            positions.append(Int32(position))
        }
        positions.append(Int32(rows.count))
    }

    private mutating func load(_ bits: UnsafeBufferPointer<UInt64>) {
        stream.values.resize(bits.count)
        if let base = bits.baseAddress { stream.values.base.update(from: base, count: bits.count) }
    }

    /// Every row, a bitmap, or runs of rows: the smallest.
    private mutating func encodePresence(_ rows: UnsafeBufferPointer<Int32>, rowCount: Int) {
        guard rows.count < rowCount else { return chunk.header.append(PresenceKind.everyRow.rawValue) }
        var runCount = 0
        for index in 0..<rows.count where index == 0 || rows[index] != rows[index - 1] + 1 { runCount += 1 }
        scratch.removeAll()
        if runCount * 4 < (rowCount + 7) / 8 {
            chunk.header.append(PresenceKind.runs.rawValue)
            chunk.header.append(varint: runCount)
            appendRuns(rows)
        } else {
            chunk.header.append(PresenceKind.bitmap.rawValue)
            let byteCount = (rowCount + 7) / 8
            scratch.reserve(byteCount)
            scratch.count = byteCount
            let bitmap = scratch.base.assumingMemoryBound(to: UInt8.self)
            bitmap.update(repeating: 0, count: byteCount)
            for row in rows { bitmap[Int(row) >> 3] |= 1 << UInt8(truncatingIfNeeded: row & 7) }
        }
        scratch.withBytes { chunk.appendSection($0) }
    }

    private mutating func appendRuns(_ rows: UnsafeBufferPointer<Int32>) {
        for index in 0..<rows.count {
            if index == 0 || rows[index] != rows[index - 1] + 1 { scratch.append(fixed: UInt16(rows[index])) }
            if index + 1 == rows.count || rows[index + 1] != rows[index] + 1 { scratch.append(fixed: UInt16(rows[index] + 1)) }
        }
    }

    // MARK: - Doubles

    private mutating func encodeDoubles(_ bits: UnsafeBufferPointer<UInt64>) {
        if let exponent = Decimal.exponent(bits), scale(bits, exponent) {
            let exceptionCount = scratch.count / 10
            chunk.header.append(DoubleCoding.decimal.rawValue)
            chunk.header.append(UInt8(exponent))
            chunk.header.append(varint: exceptionCount)
            scratch.withBytes {
                chunk.appendSection(UnsafeRawBufferPointer(rebasing: $0[..<(exceptionCount * 2)]))
                chunk.appendSection(UnsafeRawBufferPointer(rebasing: $0[(exceptionCount * 2)...]))
            }
            stream.write(.numbers, positions: positions, into: &chunk)
            return
        }
        numbers.build(bits)
        let start = chunk.mark
        if numbers.entries.count * 4 <= bits.count, bits.count > 0 {
            encodeNumberDictionary()
        } else {
            let areDistinct = numbers.entries.count * 16 >= bits.count * 15
            chunk.header.append(DoubleCoding.bits.rawValue)
            load(bits)
            stream.write(areDistinct ? .distinctPatterns : .patterns, positions: positions, into: &chunk)
            if areDistinct { return }
        }
        // Few entries are the least there is; else zstd may find more in whole doubles that come again.
        guard numbers.entries.count * 16 > bits.count else { return }
        let second = chunk.mark
        chunk.writer.forgetSection()
        chunk.header.append(DoubleCoding.bits.rawValue)
        load(bits)
        stream.writeInterleaved(into: &chunk)
        chunk.keepSmaller(from: start, second)
    }

    private mutating func encodeNumberDictionary() {
        numbers.sort()
        chunk.header.append(DoubleCoding.dictionary.rawValue)
        chunk.header.append(varint: numbers.entries.count)
        numbers.entries.withUnsafeBufferPointer { load($0) }
        stream.write(.patterns, positions: [0, Int32(numbers.entries.count)], into: &chunk)
        load(UnsafeBufferPointer(start: numbers.codes.base, count: numbers.codes.count))
        stream.write(.numbers, positions: positions, into: &chunk)
    }

    /// Integers into the stream, exceptions (positions, then bits) into `scratch`; false when there are too many of them.
    private mutating func scale(_ bits: UnsafeBufferPointer<UInt64>, _ exponent: Int) -> Bool {
        let power = Decimal.power(exponent)
        stream.values.resize(bits.count)
        scratch.removeAll()
        var previous: Int64 = 0
        for index in 0..<bits.count {
            if let integer = Decimal.scaled(Double(bitPattern: bits[index]), power) {
                previous = integer
            } else {
                scratch.append(fixed: UInt16(truncatingIfNeeded: index))
                guard scratch.count * 8 <= bits.count + 16 else { return false }
            }
            stream.values.base[index] = UInt64(bitPattern: previous)
        }
        let exceptionCount = scratch.count / 2
        for exception in 0..<exceptionCount {
            let position = scratch.base.loadUnaligned(fromByteOffset: exception * 2, as: UInt16.self)
            scratch.append(fixed: bits[Int(UInt16(littleEndian: position))])
        }
        return true
    }

    // MARK: - Strings

    private mutating func encodeBytes(_ bits: UnsafeBufferPointer<UInt64>, _ arena: UnsafeRawBufferPointer) {
        if strings.build(bits, arena) {
            chunk.header.append(BytesCoding.dictionary.rawValue)
            chunk.header.append(varint: strings.entries.count)
            strings.entries.withUnsafeBufferPointer { appendContent($0, arena) }
            load(UnsafeBufferPointer(start: strings.codes.base, count: strings.codes.count))
            stream.write(.numbers, positions: positions, into: &chunk)
        } else {
            chunk.header.append(BytesCoding.each.rawValue)
            appendContent(bits, arena)
        }
    }

    /// Byte count, lengths, bytes.
    private mutating func appendContent(_ bits: UnsafeBufferPointer<UInt64>, _ arena: UnsafeRawBufferPointer) {
        scratch.removeAll()
        stream.values.resize(bits.count)
        for (index, slice) in bits.enumerated() {
            let (offset, count) = (Int(slice >> 32), Int(slice & 0xFFFF_FFFF))
            stream.values.base[index] = UInt64(count)
            scratch.append(UnsafeRawBufferPointer(rebasing: arena[offset..<(offset + count)]))
        }
        precondition(scratch.count <= ColumnFormat.maximumRawByteCount / 2, "a frame has at most 4 096 values of 64 KiB")
        chunk.header.append(varint: scratch.count)
        stream.write(.lengths, positions: [], into: &chunk)
        scratch.withBytes { chunk.appendSection($0) }
    }
}
