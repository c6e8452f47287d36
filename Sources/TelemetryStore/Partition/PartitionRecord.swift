import TelemetryCodec

/// What is durably known of a partition beyond its segments: how far it was sealed and how far each delivery task has it.
///
/// File `state` in the partition's directory, replaced atomically at each transition. Source: docs/format/partition-state.md.
struct PartitionRecord: Equatable, Sendable {
    struct Task: Equatable, Sendable {
        var deliveredThrough: FlushID = 0
        var isDelivering = false
    }

    /// "GAUGEPRT", little-endian.
    static let magic: UInt64 = 0x5452_5045_4755_4147
    static let version: UInt32 = 1

    /// Newest flush that was in the partition when it was sealed; 0: open.
    var sealedThrough: FlushID = 0
    var tasks: [String: Task] = [:]

    init() {}

    var encoded: RawBuffer {
        var buffer = RawBuffer()
        buffer.append(fixed: PartitionRecord.magic)
        buffer.append(fixed: PartitionRecord.version)
        buffer.append(varint: sealedThrough)
        buffer.append(varint: tasks.count)
        for (name, task) in tasks.sorted(by: { $0.key < $1.key }) {
            buffer.append(counted: name)
            buffer.append(varint: task.deliveredThrough)
            buffer.append(UInt8(task.isDelivering ? 1 : 0))
        }
        let checksum = buffer.withBytes { crc32c($0) }
        buffer.append(fixed: checksum)
        return buffer
    }

    init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        var cursor = ByteCursor(bytes)
        _ = try cursor.formatVersion(magic: PartitionRecord.magic, newest: PartitionRecord.version)
        guard bytes.count > 4 else { throw .truncated }
        var tail = ByteCursor(bytes, offset: bytes.count - 4)
        guard try tail.fixed(UInt32.self) == crc32c(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))) else { throw .malformed }
        sealedThrough = try cursor.varint()
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let name = try cursor.countedString()
            tasks[name] = Task(deliveredThrough: try cursor.varint(), isDelivering: try cursor.byte() != 0)
        }
    }
}
