import Telemetry
import TelemetryCodec
import TelemetryStore

/// Looks at delivery ledgers that no delivery has open: for `verify` and `dump`. Changes nothing.
package enum LedgerInspection {
    /// What is wrong with the ledgers of a store, one file a task below `deliveries`.
    package static func findings(storePath: String, fileSystem: any FileSystem = RealFileSystem()) -> [Finding] {
        let directory = storePath + "/deliveries"
        do throws(FileError) {
            guard try fileSystem.exists(directory) else { return [] }
            return try fileSystem.list(directory).sorted().compactMap { finding(directory, task: $0, fileSystem) }
        } catch {
            return [Finding(kind: .unreadable, file: directory, offset: nil, detail: "\(error)")]
        }
    }

    private static func finding(_ directory: String, task: String, _ fileSystem: any FileSystem) -> Finding? {
        let file = directory + "/" + task
        if task.hasSuffix(".tmp") {
            return Finding(kind: .temporaryFile, file: file, offset: nil, detail: "a ledger whose renewal was cut short")
        }
        do {
            let bytes = try contents(of: file, fileSystem)
            let content = try LedgerContent(bytes, path: file, task: task)
            return content.tornOffset.map { Finding(kind: .tornEnd, file: file, offset: $0, detail: "a record that is not whole") }
        } catch let error as LedgerError {
            return Finding(kind: error.isNewer ? .newerVersion : .ledger, file: file, offset: error.offset, detail: error.detail)
        } catch {
            return Finding(kind: .unreadable, file: file, offset: nil, detail: "\(error)")
        }
    }

    /// True for a file that begins as a ledger does.
    package static func isLedger(_ path: String, fileSystem: any FileSystem = RealFileSystem()) -> Bool {
        guard let bytes = try? contents(of: path, fileSystem, limit: LedgerContent.magic.count) else { return false }
        return bytes == LedgerContent.magic
    }

    /// Hands over the records of a ledger, up to the damage or the limit.
    /// - Throws: `StoreError` with file and offset; `FileError`.
    package static func dump(
        _ path: String, limit: Int = .max, fileSystem: any FileSystem = RealFileSystem(), _ take: (FileDump.Entry) -> Void
    ) throws {
        let bytes = try contents(of: path, fileSystem)
        let header = bytes.withUnsafeBytes { bytes in
            var cursor = ByteCursor(bytes, offset: LedgerContent.magic.count)
            let version = try? cursor.fixed(UInt32.self)
            return (version: version ?? 0, task: try? cursor.countedString())
        }
        let task = header.task
        var offset = LedgerContent.header(task: task ?? "").count
        var remaining = limit
        if remaining > 0, let task {
            take(FileDump.Entry(offset: 0, kind: "ledger", text: "version \(header.version), task \(task.debugDescription)"))
            remaining -= 1
        }
        while remaining > 0, let (record, count) = LedgerContent.record(in: bytes, at: offset) {
            take(FileDump.Entry(offset: offset, kind: record.kindName, text: record.text))
            offset += count
            remaining -= 1
        }
        do {
            _ = try LedgerContent(bytes, path: path, task: task ?? "")
        } catch {
            throw StoreError(error.isNewer ? .unusable : .corruption, error.detail)
        }
    }

    private static func contents(of path: String, _ fileSystem: any FileSystem, limit: Int = .max) throws(FileError) -> [UInt8] {
        let file = try fileSystem.open(path, .read)
        let count = min(limit, try file.byteCount())
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
        defer { bytes.deallocate() }
        return Array(bytes[..<(try file.read(at: 0, into: bytes))])
    }
}
