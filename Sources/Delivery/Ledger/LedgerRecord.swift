import Telemetry
import TelemetryCodec
import TelemetryStore

/// A row's place in a partition's scan: buckets ascending, devices by their bytes, times descending.
struct ScanPosition: Equatable {
    var bucket: Int
    var device: String
    var time: Timestamp
}

/// One step of a delivery, as the ledger keeps it. Format: docs/format/delivery-ledger.md.
enum LedgerRecord: Equatable {
    /// The rows of flushes `after` (exclusive) through `through` of a partition will be delivered into `folder`.
    struct Intent: Equatable {
        var partition: PartitionID
        var after: FlushID
        var through: FlushID
        var folder: String
    }

    /// An object that is complete but not yet visible: the rows up to `end` that no earlier object of the intent has.
    struct Staged: Equatable {
        var partition: PartitionID
        var object: DeliveredObject
        var end: ScanPosition
    }

    case intent(Intent)
    case staged(Staged)
    /// The staged object of the partition stands at the destination.
    case recorded(PartitionID)
    /// The open intent of the partition is carried out.
    case delivered(PartitionID)

    /// SHA-256.
    fileprivate static let digestByteCount = 32

    /// On disk: never renumber.
    private enum Kind: UInt8 {
        case intent = 1
        case staged = 2
        case recorded = 3
        case delivered = 4
    }

    func append(to buffer: inout RawBuffer) {
        switch self {
        case .intent(let intent):
            buffer.append(Kind.intent.rawValue)
            buffer.append(zigzag: intent.partition.window)
            buffer.append(varint: intent.after)
            buffer.append(varint: intent.through)
            buffer.append(counted: intent.folder)
        case .staged(let staged):
            buffer.append(Kind.staged.rawValue)
            buffer.append(zigzag: staged.partition.window)
            staged.object.append(to: &buffer)
            staged.end.append(to: &buffer)
        case .recorded(let partition):
            buffer.append(Kind.recorded.rawValue)
            buffer.append(zigzag: partition.window)
        case .delivered(let partition):
            buffer.append(Kind.delivered.rawValue)
            buffer.append(zigzag: partition.window)
        }
    }

    /// - Parameter cursor: at a record's kind; must end with the record.
    init(_ cursor: inout ByteCursor) throws(CodecError) {
        guard let kind = Kind(rawValue: try cursor.byte()) else { throw .malformed }
        let partition = PartitionID(window: try cursor.zigzag())
        switch kind {
        case .intent:
            self = .intent(
                Intent(
                    partition: partition, after: try cursor.varint(), through: try cursor.varint(), folder: try cursor.countedString()))
        case .staged:
            self = .staged(Staged(partition: partition, object: try DeliveredObject(&cursor), end: try ScanPosition(&cursor)))
        case .recorded: self = .recorded(partition)
        case .delivered: self = .delivered(partition)
        }
        guard cursor.isAtEnd else { throw .malformed }
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
