import Glibc
import Telemetry
import TelemetryCodec

/// Reads a store that nobody has open, finds what is wrong with it and says what is where. Never changes a byte.
///
/// The rules are those of opening (`Recovery`): what an inspection calls damage, opening refuses or would answer wrongly from.
package struct StoreInspector {
    package struct Options: Sendable {
        /// Reads every frame of every segment too: checksums, order, counts, statistics.
        package var isDeep = false
        /// Fills `InspectionReport.Table.usage`.
        package var measuresUsage = false

        package init() {}
    }

    private let path: String
    private let options: Options
    private let fileSystem: any FileSystem

    /// - Parameter path: the store's directory.
    package init(path: String, options: Options = Options(), fileSystem: any FileSystem = RealFileSystem()) {
        self.path = path
        self.options = options
        self.fileSystem = fileSystem
    }

    /// - Throws: `.locked` (says by whom); `.unusable` when there is no such directory, or it may not be read.
    package func inspect() throws(StoreError) -> InspectionReport {
        let lock = try takeLock()
        defer { withExtendedLifetime(lock) {} }
        var inspection = Inspection(path: path, options: options, fileSystem: fileSystem)
        inspection.run()
        return inspection.report
    }

    private func takeLock() throws(StoreError) -> (any FileLock)? {
        do throws(FileError) {
            _ = try fileSystem.list(path)
            return try fileSystem.lockUnchanged(path + "/LOCK")
        } catch {
            if let holder = error.lockHolder { throw StoreError(.locked, "\(path) is in use by \(holder); stop it first") }
            throw StoreError(.unusable, error.description)
        }
    }
}

/// An inspection under way: what is known so far, and the report that it becomes.
struct Inspection {
    /// A table, its names as checkpoint and log define them, and what its segments say.
    struct Table {
        /// Used for names and numbers only; no store is opened on it.
        var core: TableCore
        var segments: [Segment] = []
        /// By window.
        var flushedSequences: [Int64: SequenceNumber] = [:]
    }

    let path: String
    let options: StoreInspector.Options
    let fileSystem: any FileSystem
    var report = InspectionReport()
    var storeID: StoreID?
    var tables: [Table] = []
    /// Nil: there is none.
    var checkpoint: Checkpoint.Header?
    /// Names are complete: neither checkpoint nor log is damaged.
    var knowsNames = true

    init(path: String, options: StoreInspector.Options, fileSystem: any FileSystem) {
        self.path = path
        self.options = options
        self.fileSystem = fileSystem
    }

    mutating func run() {
        inspectRoot()
        readCatalog()
        readCheckpoint()
        for index in tables.indices { inspectPartitions(of: index) }
        inspectLog()
        checkSegmentsAgainstLog()
        if options.isDeep || options.measuresUsage {
            for index in tables.indices { inspectSegments(of: index) }
        }
        for index in tables.indices {
            report.tables[index].deviceCount = tables[index].core.registry.deviceCount
            report.tables[index].fieldCount = tables[index].core.registry.fieldNames.count
        }
    }

    // MARK: - Findings

    mutating func found(_ kind: FindingKind, _ file: String, at offset: Int? = nil, _ detail: String) {
        report.findings.append(Finding(kind: kind, file: file, offset: offset, detail: detail))
    }

    /// - Parameter kind: what damage of this file is called.
    mutating func found(_ error: StoreError, _ kind: FindingKind, _ file: String) {
        guard let position = error.position else {
            return found(error.code == .corruption ? kind : .unreadable, file, error.detail)
        }
        let prefix = "\(position.file) at offset \(position.offset): "
        let detail = error.detail.hasPrefix(prefix) ? String(error.detail.dropFirst(prefix.count)) : error.detail
        found(kind, position.file, at: position.offset, detail)
    }

    mutating func found(_ error: CodecError, _ kind: FindingKind, _ file: String, at offset: Int, _ detail: String) {
        if case .newerVersion(let version) = error {
            return found(.newerVersion, file, at: offset, "format version \(version) was made by a newer version of gaugehouse")
        }
        found(kind, file, at: offset, detail)
    }

    // MARK: - Reading

    /// The file's bytes; nil when there is none, or it cannot be read, which is a finding.
    mutating func contents(_ file: String) -> Bytes? {
        do throws(FileError) { return try fileSystem.contents(of: file) } catch {
            found(.unreadable, file, error.description)
            return nil
        }
    }

    /// Names in a directory, sorted; temporary files are findings and left out.
    mutating func names(in directory: String) -> [String] {
        do throws(FileError) {
            let names = try fileSystem.list(directory).sorted()
            for name in names where name.hasSuffix(temporarySuffix) {
                found(.temporaryFile, directory + "/" + name, "a file whose writing was cut short")
            }
            return names.filter { !$0.hasSuffix(temporarySuffix) }
        } catch {
            found(.unreadable, directory, error.description)
            return []
        }
    }

    func exists(_ file: String) -> Bool {
        do throws(FileError) { return try fileSystem.exists(file) } catch { return true }
    }
}
