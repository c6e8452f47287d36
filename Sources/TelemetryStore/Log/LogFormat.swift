import TelemetryCodec

/// The commit log's bytes. Source: docs/format/log.md. On disk: never renumber.
enum LogFormat {
    /// "GAUGELOG", little-endian.
    static let magic: UInt64 = 0x474F_4C45_4755_4147
    static let version: UInt32 = 2
    static let fileHeaderByteCount = 64
    static let recordHeaderByteCount = 40
    /// Records begin at multiples of this.
    static let alignment = 8

    enum Section: UInt8 {
        case field = 1
        case device = 2
        case rows = 3
        case note = 4
    }

    static func aligned(_ byteCount: Int) -> Int { (byteCount + alignment - 1) / alignment * alignment }
}

/// First 64 bytes of a log file.
struct LogFileHeader: Equatable {
    /// Of the format: what a program writes is always `LogFormat.version`.
    let version: UInt32
    /// Number of the file, rising by one; in every record, so that stale bytes never parse.
    var epoch: UInt32
    var storeID: StoreID
    /// Sequence number of the first reading that the file may hold.
    var firstSequence: UInt64
    /// Written without a sync per record: after a power cut records may be missing anywhere behind the last sync.
    var isRelaxed: Bool
    /// Size of the file, preallocated: any other size is damage.
    var fileByteCount: Int
    /// In every record, and nowhere a device can read it: no value that it sends looks like a record. 0 in version 1.
    var salt: UInt64

    /// Half of the salt stands in each record, half begins its checksum.
    var recordMark: UInt32 { UInt32(truncatingIfNeeded: salt) }
    var checksumSeed: UInt32 { UInt32(truncatingIfNeeded: salt >> 32) }

    var encoded: RawBuffer {
        var buffer = RawBuffer(capacity: LogFormat.fileHeaderByteCount)
        buffer.append(fixed: LogFormat.magic)
        buffer.append(fixed: version)
        buffer.append(fixed: epoch)
        buffer.append(fixed: storeID.high)
        buffer.append(fixed: storeID.low)
        buffer.append(fixed: firstSequence)
        buffer.append(fixed: UInt32(isRelaxed ? 1 : 0))
        buffer.append(fixed: UInt64(fileByteCount))
        buffer.append(fixed: salt)
        let checksum = buffer.withBytes { crc32c($0) }
        buffer.append(fixed: checksum)
        return buffer
    }

    init(epoch: UInt32, storeID: StoreID, firstSequence: UInt64, isRelaxed: Bool, fileByteCount: Int) {
        version = LogFormat.version
        (self.epoch, self.storeID, self.firstSequence) = (epoch, storeID, firstSequence)
        (self.isRelaxed, self.fileByteCount, salt) = (isRelaxed, fileByteCount, .random(in: 1 ... .max))
    }

    /// - Throws: `.newerVersion` before anything else is looked at, so that a later format is not called damaged.
    init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        guard bytes.count >= LogFormat.fileHeaderByteCount else { throw .truncated }
        let header = UnsafeRawBufferPointer(rebasing: bytes[..<LogFormat.fileHeaderByteCount])
        var cursor = ByteCursor(header)
        version = try cursor.formatVersion(magic: LogFormat.magic, newest: LogFormat.version)
        epoch = try cursor.fixed(UInt32.self)
        storeID = StoreID(high: try cursor.fixed(UInt64.self), low: try cursor.fixed(UInt64.self))
        firstSequence = try cursor.fixed(UInt64.self)
        isRelaxed = try cursor.fixed(UInt32.self) & 1 != 0
        fileByteCount = Int(truncatingIfNeeded: try cursor.fixed(UInt64.self))
        salt = version >= 2 ? try cursor.fixed(UInt64.self) : 0
        cursor.offset = LogFormat.fileHeaderByteCount - 4
        guard try cursor.fixed(UInt32.self) == crc32c(UnsafeRawBufferPointer(rebasing: header.dropLast(4))) else { throw .malformed }
    }
}

/// Identity of a store: files of another one never parse as ours.
struct StoreID: Equatable, Sendable {
    var high: UInt64
    var low: UInt64

    static func random() -> StoreID { StoreID(high: .random(in: .min ... .max), low: .random(in: .min ... .max)) }
}

/// First 40 bytes of a record: one group commit.
struct LogRecordHeader {
    var payloadByteCount: Int
    var firstSequence: UInt64
    var readingCount: Int
    var commitTime: Int64

    /// Writes the header over the first bytes of `record`, which are kept free for it, and pads the end; the checksum covers all of header
    /// and payload but the first eight bytes.
    func complete(_ record: inout RawBuffer, in file: LogFileHeader) {
        record.patch(UInt32(record.count - LogFormat.recordHeaderByteCount), at: 0)
        record.patch(UInt32(1), at: 8)
        record.patch(file.epoch, at: 12)
        record.patch(firstSequence, at: 16)
        record.patch(UInt32(readingCount), at: 24)
        record.patch(file.recordMark, at: 28)
        record.patch(commitTime, at: 32)
        let checksum = record.withBytes { crc32c(UnsafeRawBufferPointer(rebasing: $0[8...]), seed: file.checksumSeed) }
        record.patch(checksum, at: 4)
        while record.count % LogFormat.alignment != 0 { record.append(UInt8(0)) }
    }

    /// Begins a record: room for its header, filled by `complete`.
    static func begin(_ record: inout RawBuffer) {
        record.removeAll()
        record.reserve(LogFormat.recordHeaderByteCount)
        record.count = LogFormat.recordHeaderByteCount
    }

    /// The record at `offset`; nil when there is none whose checksum, epoch and salt hold.
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int, of file: LogFileHeader) {
        guard offset + LogFormat.recordHeaderByteCount <= bytes.count else { return nil }
        func load<I: FixedWidthInteger & BitwiseCopyable>(_ position: Int, _ type: I.Type) -> I {
            I(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + position, as: I.self))
        }
        let length = Int(load(0, UInt32.self))
        let end = offset + LogFormat.recordHeaderByteCount + length
        guard length > 0, load(12, UInt32.self) == file.epoch, load(8, UInt32.self) == 1, load(28, UInt32.self) == file.recordMark,
            end <= bytes.count,
            crc32c(UnsafeRawBufferPointer(rebasing: bytes[(offset + 8)..<end]), seed: file.checksumSeed) == load(4, UInt32.self)
        else { return nil }
        payloadByteCount = length
        firstSequence = load(16, UInt64.self)
        readingCount = Int(load(24, UInt32.self))
        commitTime = load(32, Int64.self)
    }

    init(payloadByteCount: Int, firstSequence: UInt64, readingCount: Int, commitTime: Int64) {
        self.payloadByteCount = payloadByteCount
        self.firstSequence = firstSequence
        self.readingCount = readingCount
        self.commitTime = commitTime
    }

    var byteCount: Int { LogFormat.aligned(LogFormat.recordHeaderByteCount + payloadByteCount) }
}
