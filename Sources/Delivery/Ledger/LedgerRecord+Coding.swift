import Telemetry
import TelemetryCodec
import TelemetryStore

/// The bytes of records. Format: docs/format/delivery-ledger.md.
extension LedgerRecord {
    /// SHA-256.
    fileprivate static let digestByteCount = 32

    /// On disk: never renumber.
    fileprivate enum Kind: UInt8 {
        case intent = 1
        /// Of version 1: without the count of dirty fields.
        case stagedVersion1 = 2
        case recorded = 3
        case delivered = 4
        case slice = 5
        case staged = 6
        case begin = 7
        case restart = 8
        case paused = 9
        case event = 10
    }

    func append(to buffer: inout RawBuffer) {
        switch self {
        case .intent(let intent):
            buffer.append(.intent, intent.partition)
            buffer.append(varint: intent.after)
            buffer.append(varint: intent.through)
            buffer.append(counted: intent.folder)
        case .staged(let staged):
            buffer.append(.staged, staged.partition)
            staged.object.append(to: &buffer)
            staged.end.append(to: &buffer)
            buffer.append(varint: staged.object.dirtyFieldCount)
        case .recorded(let partition): buffer.append(.recorded, partition)
        case .delivered(let partition): buffer.append(.delivered, partition)
        case .slice(let partition, let index):
            buffer.append(.slice, partition)
            buffer.append(varint: index)
        case .begin(let begin):
            buffer.append(Kind.begin.rawValue)
            begin.append(to: &buffer)
        case .restart: buffer.append(Kind.restart.rawValue)
        case .paused(let isPaused):
            buffer.append(Kind.paused.rawValue)
            buffer.append(isPaused ? 1 : 0)
        case .event(let event):
            buffer.append(Kind.event.rawValue)
            event.append(to: &buffer)
        }
    }

    /// - Parameter cursor: at a record's kind; must end with the record.
    init(_ cursor: inout ByteCursor) throws(CodecError) {
        guard let kind = Kind(rawValue: try cursor.byte()) else { throw .malformed }
        switch kind {
        case .begin: self = .begin(try Begin(&cursor))
        case .restart: self = .restart
        case .paused: self = .paused(try cursor.byte() != 0)
        case .event: self = .event(try DeliveryEvent(&cursor))
        default: self = try Self.ofPartition(kind, PartitionID(window: try cursor.zigzag()), &cursor)
        }
        guard cursor.isAtEnd else { throw .malformed }
    }

    private static func ofPartition(
        _ kind: Kind, _ partition: PartitionID, _ cursor: inout ByteCursor
    ) throws(CodecError) -> LedgerRecord {
        switch kind {
        case .intent:
            return .intent(
                Intent(partition: partition, after: try cursor.varint(), through: try cursor.varint(), folder: try cursor.countedString()))
        case .stagedVersion1, .staged:
            var staged = Staged(partition: partition, object: try DeliveredObject(&cursor), end: try ScanPosition(&cursor))
            if kind == .staged { staged.object.dirtyFieldCount = try cursor.count() }
            return .staged(staged)
        case .recorded: return .recorded(partition)
        case .delivered: return .delivered(partition)
        case .slice: return .slice(partition, try cursor.count())
        case .begin, .restart, .paused, .event: throw .malformed
        }
    }

    /// Changes nothing of what the others say: of these, a ledger that is copied keeps the newest only.
    var isEvent: Bool { if case .event = self { true } else { false } }
}

extension RawBuffer {
    fileprivate mutating func append(_ kind: LedgerRecord.Kind, _ partition: PartitionID) {
        append(kind.rawValue)
        append(zigzag: partition.window)
    }
}

extension LedgerRecord.Begin {
    fileprivate func append(to buffer: inout RawBuffer) {
        buffer.append(mode.code)
        buffer.append(counted: table)
        buffer.append(varint: line.count)
        for (partition, flush) in line.sorted(by: { $0.key < $1.key }) {
            buffer.append(zigzag: partition.window)
            buffer.append(varint: flush)
        }
    }

    fileprivate init(_ cursor: inout ByteCursor) throws(CodecError) {
        guard let mode = DeliveryMode(code: try cursor.byte()) else { throw .malformed }
        let table = try cursor.countedString()
        var line: [PartitionID: FlushID] = [:]
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            line[PartitionID(window: try cursor.zigzag())] = try cursor.varint()
        }
        self.init(mode: mode, table: table, line: line)
    }
}

extension DeliveryEvent {
    fileprivate func append(to buffer: inout RawBuffer) {
        buffer.append(zigzag: time.microseconds)
        buffer.append(kind.rawValue)
        buffer.append(counted: error.rawValue)
        buffer.append(counted: detail)
    }

    fileprivate init(_ cursor: inout ByteCursor) throws(CodecError) {
        let time = Timestamp(microseconds: try cursor.zigzag())
        guard let kind = Kind(rawValue: try cursor.byte()), let error = DeliveryErrorCode(rawValue: try cursor.countedString()) else {
            throw .malformed
        }
        self.init(time: time, kind: kind, error: error, detail: try cursor.countedString())
    }
}

extension DeliveredObject {
    fileprivate func append(to buffer: inout RawBuffer) {
        buffer.append(varint: sequence)
        buffer.append(counted: key)
        buffer.append(varint: rowCount)
        buffer.append(varint: byteCount)
        sha256.withUnsafeBytes { buffer.append($0) }
        buffer.append(zigzag: minTime.microseconds)
        buffer.append(zigzag: maxTime.microseconds)
    }

    fileprivate init(_ cursor: inout ByteCursor) throws(CodecError) {
        let sequence = try cursor.varint()
        let key = try cursor.countedString()
        let rowCount = try cursor.count()
        let byteCount = try cursor.count()
        let sha256 = Array(try cursor.slice(LedgerRecord.digestByteCount))
        self.init(
            key: key, sequence: sequence, rowCount: rowCount, byteCount: byteCount, sha256: sha256,
            minTime: Timestamp(microseconds: try cursor.zigzag()), maxTime: Timestamp(microseconds: try cursor.zigzag()))
    }
}

extension ScanPosition {
    fileprivate func append(to buffer: inout RawBuffer) {
        buffer.append(varint: bucket)
        buffer.append(counted: device)
        buffer.append(zigzag: time.microseconds)
    }

    fileprivate init(_ cursor: inout ByteCursor) throws(CodecError) {
        self.init(
            bucket: try cursor.count(), device: try cursor.countedString(), time: Timestamp(microseconds: try cursor.zigzag()))
    }
}
