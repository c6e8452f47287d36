import TelemetryCodec

/// What is durably known of a partition beyond its segments: how far it was sealed and how far each delivery task has it.
///
/// File `state` in the partition's directory, replaced atomically at each transition. Source: docs/format/partition-state.md.
struct PartitionRecord: Equatable, Sendable {
    struct Task: Equatable, Sendable {
        /// What an intent reads: flushes behind `deliveredThrough`.
        enum Intent: Equatable, Sendable {
            /// Up to and with this one.
            case through(FlushID)
            /// Written by version 1, which did not say how far.
            case unknown
        }

        var deliveredThrough: FlushID = 0
        var delivering: Intent?
    }

    /// "GAUGEPRT", little-endian.
    static let magic: UInt64 = 0x5452_5045_4755_4147
    static let version: UInt32 = 2

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
            switch task.delivering {
            case nil: buffer.append(0)
            case .unknown: buffer.append(1)
            case .through(let flush):
                buffer.append(2)
                buffer.append(varint: flush)
            }
        }
        let checksum = buffer.withBytes { crc32c($0) }
        buffer.append(fixed: checksum)
        return buffer
    }

    init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        var cursor = ByteCursor(bytes)
        let version = try cursor.formatVersion(magic: PartitionRecord.magic, newest: PartitionRecord.version)
        guard bytes.count > 4 else { throw .truncated }
        var tail = ByteCursor(bytes, offset: bytes.count - 4)
        guard try tail.fixed(UInt32.self) == crc32c(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))) else { throw .malformed }
        sealedThrough = try cursor.varint()
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let name = try cursor.countedString()
            tasks[name] = Task(deliveredThrough: try cursor.varint(), delivering: try PartitionRecord.intent(&cursor, version))
        }
    }

    private static func intent(_ cursor: inout ByteCursor, _ version: UInt32) throws(CodecError) -> Task.Intent? {
        switch try cursor.byte() {
        case 0: return nil
        case 1: return .unknown
        case 2 where version > 1: return .through(try cursor.varint())
        default: throw .malformed
        }
    }
}
