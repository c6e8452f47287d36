import Telemetry
import TelemetryCodec

/// The tables of a store and what is fixed about them. File `catalog`, replaced atomically. Source: docs/format/catalog.md.
struct Catalog: Equatable {
    struct Entry: Equatable {
        var number: TableNumber
        var name: String
        var buckets: Int
        var partitionLength: TimeSpan
    }

    /// "GAUGECAT", little-endian.
    static let magic: UInt64 = 0x5441_4345_4755_4147
    static let version: UInt32 = 1

    var storeID: StoreID
    var tables: [Entry] = []

    init(storeID: StoreID) { self.storeID = storeID }

    var encoded: RawBuffer {
        var buffer = RawBuffer()
        buffer.append(fixed: Catalog.magic)
        buffer.append(fixed: Catalog.version)
        buffer.append(fixed: storeID.high)
        buffer.append(fixed: storeID.low)
        buffer.append(varint: tables.count)
        for table in tables {
            buffer.append(fixed: UInt16(table.number))
            buffer.append(counted: table.name)
            buffer.append(varint: table.buckets)
            buffer.append(varint: UInt64(table.partitionLength.microseconds))
        }
        let checksum = buffer.withBytes { crc32c($0) }
        buffer.append(fixed: checksum)
        return buffer
    }

    init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        var cursor = ByteCursor(bytes)
        _ = try cursor.formatVersion(magic: Catalog.magic, newest: Catalog.version)
        guard bytes.count > 4 else { throw .truncated }
        var tail = ByteCursor(bytes, offset: bytes.count - 4)
        guard try tail.fixed(UInt32.self) == crc32c(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))) else { throw .malformed }
        storeID = StoreID(high: try cursor.fixed(UInt64.self), low: try cursor.fixed(UInt64.self))
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let number = try cursor.fixed(UInt16.self)
            let name = try cursor.countedString()
            let buckets = try cursor.count(limit: 1 << 16)
            let length = TimeSpan(microseconds: Int64(truncatingIfNeeded: try cursor.varint()))
            // The name is that of a directory, and the numbers are divided by.
            guard Int(number) == tables.count, !name.isEmpty, !name.contains("/"), name != ".", name != "..", buckets > 0,
                length >= .seconds(1), !tables.contains(where: { $0.name == name })
            else { throw .malformed }
            tables.append(Entry(number: number, name: name, buckets: buckets, partitionLength: length))
        }
    }

    /// Adds tables that are new and checks those that are not.
    /// - Returns: true when the catalogue changed.
    mutating func adopt(_ options: [TableOptions]) throws(StoreError) -> Bool {
        let before = self
        for table in options {
            guard table.partitionLength >= .seconds(1), table.partitionLength.microseconds % 1_000_000 == 0 else {
                throw StoreError(
                    .configuration, "table \(table.name): partition = \"\(table.partitionLength.text)\" is not a number of whole seconds")
            }
            if let known = tables.first(where: { $0.name == table.name }) {
                try Catalog.check(known, against: table)
            } else {
                tables.append(
                    Entry(
                        number: TableNumber(tables.count), name: table.name, buckets: table.buckets,
                        partitionLength: table.partitionLength))
            }
        }
        return self != before
    }

    private static func check(_ known: Entry, against table: TableOptions) throws(StoreError) {
        if known.buckets != table.buckets {
            throw StoreError(
                .configuration,
                "table \(table.name) was created with buckets = \(known.buckets), which is fixed; the configuration says \(table.buckets)")
        }
        if known.partitionLength != table.partitionLength {
            throw StoreError(
                .configuration,
                "table \(table.name) was created with partition = \"\(known.partitionLength.text)\", which is fixed; "
                    + "the configuration says \"\(table.partitionLength.text)\"")
        }
    }
}
