import Telemetry
import TelemetryCodec

/// All that a restart needs besides segments and the log's tail: names, latest values, counters. File `checkpoint`, replaced
/// atomically. Source: docs/format/checkpoint.md.
///
/// Taken device by device while commits go on: what is newer than `sequence` is replayed over it, and every replayed update is
/// idempotent, so the mixture converges to the right state.
enum Checkpoint {
    /// "GAUGECHK", little-endian.
    static let magic: UInt64 = 0x4B48_4345_4755_4147
    static let version: UInt32 = 1
    /// Devices written per hold of the table's lock: well under a millisecond.
    private static let devicesPerLock = 4_096

    struct Header {
        /// Everything up to this reading is in the checkpoint or in segments.
        var sequence: SequenceNumber = 0
        /// Everything up to this reading is in segments or dropped: the log may begin behind it. At most `sequence`.
        var flushedSequence: SequenceNumber = 0
        var commitTime: Int64 = .min
        var notes: [String: [UInt8]] = [:]
    }

    // MARK: - Writing

    static func encode(_ header: Header, tables: [TableCore]) -> RawBuffer {
        var output = RawBuffer(capacity: 1 << 16)
        output.append(fixed: magic)
        output.append(fixed: version)
        output.append(fixed: header.sequence)
        output.append(fixed: header.flushedSequence)
        output.append(fixed: header.commitTime)
        output.append(varint: header.notes.count)
        for (source, bytes) in header.notes.sorted(by: { $0.key < $1.key }) {
            GroupPayload.append(CommitNote(source: source, bytes: bytes), into: &output)
        }
        output.append(varint: tables.count)
        for table in tables { encode(table, into: &output) }
        let checksum = output.withBytes { crc32c($0) }
        output.append(fixed: checksum)
        return output
    }

    private static func encode(_ table: TableCore, into output: inout RawBuffer) {
        output.append(fixed: UInt16(table.number))
        let (nextFlush, dropped) = table.lock.reading { (table.nextFlush, table.droppedThrough) }
        output.append(fixed: nextFlush)
        output.append(fixed: dropped)
        let fieldNames = table.registry.fieldNames
        output.append(varint: fieldNames.count)
        for name in fieldNames { output.append(counted: name) }
        let deviceCount = table.registry.deviceCount
        output.append(varint: deviceCount)
        var start = 0
        while start < deviceCount {
            let end = min(start + devicesPerLock, deviceCount)
            table.lock.reading {
                for number in start..<end { encodeDeviceLocked(UInt32(number), table, fieldCount: fieldNames.count, into: &output) }
            }
            start = end
        }
    }

    /// - Parameter fieldCount: fields that the checkpoint names. A value of one that came while it was being written is left out: its
    ///   reading lies behind the checkpoint's sequence number and is replayed.
    private static func encodeDeviceLocked(_ number: UInt32, _ table: TableCore, fieldCount: Int, into output: inout RawBuffer) {
        table.registry.readingNames { names in names.devices.withName(number) { output.append(counted: $0) } }
        guard let device = table.states.device(number) else {
            output.append(fixed: DeviceStates.Device().firstSeen)
            return
        }
        output.append(fixed: device.firstSeen)
        output.append(fixed: device.lastSeen)
        output.append(fixed: device.maxTime)
        output.append(varint: device.flushedReadingCount)
        var count = 0
        table.states.forEachLatest(number) { field, _, _, _ in if Int(field) < fieldCount { count += 1 } }
        output.append(varint: count)
        table.states.forEachLatest(number) { field, time, cell, bytes in
            guard Int(field) < fieldCount else { return }
            output.append(zigzag: time)
            CellCoding.encode(cell, field: field, arena: bytes, into: &output)
        }
    }

    // MARK: - Reading

    /// Restores names, states and counters into `tables` (by number; tables no longer configured are skipped over).
    static func decode(_ bytes: UnsafeRawBufferPointer, tables: [TableNumber: TableCore]) throws(CodecError) -> Header {
        var cursor = ByteCursor(bytes)
        _ = try cursor.formatVersion(magic: magic, newest: version)
        guard bytes.count > 4 else { throw .truncated }
        var tail = ByteCursor(bytes, offset: bytes.count - 4)
        guard try tail.fixed(UInt32.self) == crc32c(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))) else { throw .malformed }
        var header = Header()
        header.sequence = try cursor.fixed(UInt64.self)
        header.flushedSequence = try cursor.fixed(UInt64.self)
        header.commitTime = try cursor.fixed(Int64.self)
        guard header.flushedSequence <= header.sequence, header.sequence < .max / 2 else { throw .malformed }
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            guard case .note(let source, let note) = try GroupPayload.next(&cursor) else { throw .malformed }
            header.notes[source] = Array(note)
        }
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let number = try cursor.fixed(UInt16.self)
            guard let table = tables[number] else { throw .malformed }
            try decode(&cursor, into: table)
        }
        return header
    }

    private static func decode(_ cursor: inout ByteCursor, into table: TableCore) throws(CodecError) {
        table.nextFlush = try cursor.fixed(UInt64.self)
        table.droppedThrough = try cursor.fixed(Int64.self)
        guard table.nextFlush < .max / 2 else { throw .malformed }
        for _ in 0..<(try cursor.count(limit: min(cursor.remaining, Limits.fieldsPerTable))) {
            _ = table.registry.internField(try cursor.countedBytes())
        }
        let fieldCount = table.registry.fieldNames.count
        let deviceCount = try cursor.count(limit: min(cursor.remaining, Limits.devicesPerTable))
        table.states.grow(to: deviceCount)
        try table.registry.withNames { (names) throws(CodecError) in
            for number in 0..<deviceCount {
                guard names.insertDevice(try cursor.countedBytes(), bucketCount: table.options.buckets) == number else { throw .malformed }
                try decodeDevice(&cursor, UInt32(number), fieldCount: fieldCount, into: table)
            }
            names.loggedDevices = names.devices.count
            names.loggedFields = names.fields.count
        }
    }

    private static func decodeDevice(
        _ cursor: inout ByteCursor, _ number: UInt32, fieldCount: Int, into table: TableCore
    ) throws(CodecError) {
        let firstSeen = try cursor.fixed(Int64.self)
        guard firstSeen != .max else { return }
        let lastSeen = try cursor.fixed(Int64.self)
        let maxTime = try cursor.fixed(Int64.self)
        table.states.restore(
            number, firstSeen: firstSeen, lastSeen: lastSeen, maxTime: maxTime,
            flushedReadingCount: try cursor.count(limit: Int.max / 2))
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let time = try cursor.zigzag()
            let start = cursor.offset
            _ = try CellCoding.decode(&cursor)
            let bytes = UnsafeRawBufferPointer(rebasing: cursor.bytes[start..<cursor.offset])
            _ = try CellWalk.check(bytes, against: .init(start: nil, count: 0), fieldCount: fieldCount, types: table.states.types)
            table.states.restoreValue(number, time: time, cell: bytes)
        }
    }
}
