import TelemetryCodec
import TelemetryStore

/// The bytes of a ledger file, checked, without a torn tail. Format: docs/format/delivery-ledger.md.
struct LedgerContent {
    static let magic: [UInt8] = Array("GHDELIVR".utf8)
    static let version: UInt32 = 2

    /// Header, and every valid record that still says something, in the present version.
    private(set) var bytes: [UInt8]
    private(set) var state: LedgerState
    /// Nil for a new one.
    private(set) var foundVersion: UInt32?
    /// Where a record begins that is not whole; nil when none does.
    private(set) var tornOffset: Int?

    /// - Parameter old: what the file holds; empty for a new one.
    /// - Throws: `LedgerError`, naming file and offset: damage before the last record, or the ledger of another task.
    init(_ old: [UInt8], path: String, task: String) throws(LedgerError) {
        bytes = Self.header(task: task)
        state = LedgerState()
        guard !old.isEmpty else { return }
        let (version, header) = try Self.header(of: old, path: path, task: task)
        foundVersion = version
        state = LedgerState(version: version)
        var records: [(range: Range<Int>, isEvent: Bool)] = []
        var offset = header.count
        while offset < old.count {
            guard let (record, count) = Self.record(in: old, at: offset) else {
                try Self.requireTornTail(old, from: offset, path: path)
                tornOffset = offset
                break
            }
            do throws(LedgerError) {
                try state.apply(record)
            } catch {
                throw LedgerError("ledger \(path): record at offset \(offset): \(error.detail)", offset: offset)
            }
            records.append((offset..<(offset + count), record.isEvent))
            offset += count
        }
        if version == 1 { bytes.append(framed: .begin(.init(mode: .aged, table: "", line: [:]))) }
        append(records, of: old)
    }

    private mutating func append(_ records: [(range: Range<Int>, isEvent: Bool)], of old: [UInt8]) {
        var surplus = records.count(where: \.isEvent) - DeliveryEvent.keptCount
        for record in records {
            if record.isEvent, surplus > 0 {
                surplus -= 1
            } else {
                bytes += old[record.range]
            }
        }
    }

    static func header(task: String, version: UInt32 = Self.version) -> [UInt8] {
        var buffer = RawBuffer()
        magic.withUnsafeBytes { buffer.append($0) }
        buffer.append(fixed: version)
        buffer.append(counted: task)
        buffer.append(fixed: buffer.withBytes { crc32c($0) })
        return buffer.withBytes { Array($0) }
    }

    private static func header(of old: [UInt8], path: String, task: String) throws(LedgerError) -> (version: UInt32, bytes: [UInt8]) {
        for version in 1...version {
            let header = header(task: task, version: version)
            if old.starts(with: header) { return (version, header) }
        }
        throw headerError(old, path: path, task: task)
    }

    private static func headerError(_ old: [UInt8], path: String, task: String) -> LedgerError {
        var found: UInt32?
        old.withUnsafeBytes { bytes in
            var cursor = ByteCursor(bytes, offset: magic.count)
            found = try? cursor.fixed(UInt32.self)
        }
        if old.starts(with: magic), let found, found > version {
            return LedgerError(
                "ledger \(path): format version \(found) was written by a newer gaugehouse; this one knows \(version)", isNewer: true)
        }
        return LedgerError("ledger \(path): offset 0: not the header of a ledger of task '\(task)'", offset: 0)
    }

    /// The record at `offset` and its length with its frame; nil when there is no whole one.
    static func record(in bytes: [UInt8], at offset: Int) -> (record: LedgerRecord, byteCount: Int)? {
        bytes.withUnsafeBytes { all in
            var cursor = ByteCursor(all, offset: offset)
            guard let length = try? cursor.fixed(UInt32.self), let checksum = try? cursor.fixed(UInt32.self),
                length > 0, let payload = try? cursor.slice(Int(length)), recordChecksum(length, payload) == checksum
            else { return nil }
            var body = ByteCursor(payload)
            guard let record = try? LedgerRecord(&body) else { return nil }
            return (record, cursor.offset - offset)
        }
    }

    /// Every record is synced before the next one is written, so only the last can be torn. Where a whole record follows, what lies
    /// before it was once whole, too.
    private static func requireTornTail(_ bytes: [UInt8], from offset: Int, path: String) throws(LedgerError) {
        var next = offset + 1
        while next < bytes.count {
            if record(in: bytes, at: next) != nil {
                throw LedgerError("ledger \(path): damaged at offset \(offset); a record that is whole follows at \(next)", offset: offset)
            }
            next += 1
        }
    }
}

/// CRC-32C over the length as it stands in the file, then the payload.
private func recordChecksum(_ length: UInt32, _ payload: UnsafeRawBufferPointer) -> UInt32 {
    crc32c(payload, seed: withUnsafeBytes(of: length.littleEndian) { crc32c($0) })
}

extension RawBuffer {
    /// Appends length, checksum and payload.
    mutating func append(framed record: LedgerRecord) {
        var payload = RawBuffer()
        record.append(to: &payload)
        let length = UInt32(payload.count)
        append(fixed: length)
        append(fixed: payload.withBytes { recordChecksum(length, $0) })
        payload.withBytes { append($0) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(framed record: LedgerRecord) {
        var buffer = RawBuffer()
        buffer.append(framed: record)
        self += buffer.withBytes { Array($0) }
    }
}
