import Telemetry
import TelemetryCodec

/// One file of a store as entries that people can read: what it is by its magic number, then one entry for each thing in it.
///
/// Needs no lock and no other file, so names may be missing where another file defines them: numbers stand in their place.
package struct FileDump {
    package struct Options: Sendable {
        /// Rows of logs and segments too, and the latest values of a checkpoint.
        package var showsRows = false
        /// Entries at most.
        package var limit = Int.max

        package init() {}
    }

    /// One thing in the file.
    package struct Entry: Sendable, Equatable {
        /// Where it stands in the file; things in a compressed frame stand where the frame does.
        package var offset: Int
        /// `record`, `device`, `row`, …
        package var kind: String
        package var text: String

        package init(offset: Int, kind: String, text: String) {
            self.offset = offset
            self.kind = kind
            self.text = text
        }
    }

    /// Takes the entries and stops at the limit.
    struct Output: ~Copyable {
        private var remaining: Int
        private let take: (Entry) -> Void

        init(limit: Int, _ take: @escaping (Entry) -> Void) {
            remaining = limit
            self.take = take
        }

        var isFull: Bool { remaining <= 0 }

        mutating func add(_ offset: Int, _ kind: String, _ text: @autoclosure () -> String) {
            guard remaining > 0 else { return }
            remaining -= 1
            take(Entry(offset: offset, kind: kind, text: text()))
        }
    }

    let path: String
    let options: Options
    private let fileSystem: any FileSystem

    package init(path: String, options: Options = Options(), fileSystem: any FileSystem = RealFileSystem()) {
        self.path = path
        self.options = options
        self.fileSystem = fileSystem
    }

    /// Hands over the entries in the order of the file, up to the limit or the damage.
    /// - Throws: `.corruption` with its position, behind the last entry that could be read; `.unusable` for a file that cannot be
    ///   read, that no store has, or of a newer version.
    package func run(_ take: @escaping (Entry) -> Void) throws(StoreError) {
        guard let bytes = try storing({ () throws(FileError) in try fileSystem.contents(of: path) }) else {
            throw StoreError(.unusable, "there is no file \(path)")
        }
        var output = Output(limit: options.limit, take)
        defer { withExtendedLifetime(bytes) {} }
        var cursor = ByteCursor(bytes.buffer)
        let magic: UInt64
        do throws(CodecError) { magic = try cursor.fixed(UInt64.self) } catch {
            throw StoreError(.unusable, "\(path) has \(bytes.count) bytes and no magic number: it is no file of a store")
        }
        switch magic {
        case LogFormat.magic: try dumpLog(bytes.buffer, &output)
        case SegmentFormat.magic: try dumpSegment(fileSystem, &output)
        case Catalog.magic: try dumpCatalog(bytes.buffer, &output)
        case Checkpoint.magic: try dumpCheckpoint(bytes.buffer, &output)
        case PartitionRecord.magic: try dumpState(bytes.buffer, &output)
        default: throw StoreError(.unusable, "\(path) begins with no magic number of a store's file")
        }
    }

    func damage(at offset: Int, _ what: String) -> StoreError { .damage(path, at: offset, what) }

    /// Runs a reader of the file's bytes; its errors become the store's.
    func reading<R>(at offset: Int, _ what: String, _ body: () throws(CodecError) -> R) throws(StoreError) -> R {
        do throws(CodecError) { return try body() } catch { throw error.storeError(path, at: offset, what) }
    }
}

/// Values as a dump shows them.
enum DumpText {
    static func time(_ microseconds: Int64) -> String {
        // Beyond what a calendar of four digits can show.
        guard (-62_135_596_800_000_000..<253_402_300_800_000_000).contains(microseconds) else { return "\(microseconds) µs" }
        return Timestamp(microseconds: microseconds).rfc3339
    }

    /// Quoted; control characters and bytes that are no UTF-8 show.
    static func name(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }

    static func value(_ cell: Cell, in arena: UnsafeRawBufferPointer) -> String {
        switch cell.type {
        case nil: "absent"
        case .integer: "\(cell.integer)"
        case .double: "\(cell.double)"
        case .boolean: "\(cell.boolean)"
        case .string: name(UnsafeRawBufferPointer(rebasing: arena[cell.byteRange]))
        case .binary: "0x" + arena[cell.byteRange].map { hex(UInt64($0), width: 2) }.joined()
        }
    }

    static func hex(_ value: UInt64, width: Int = 16) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    static func id(_ store: StoreID) -> String { hex(store.high) + hex(store.low) }
}
