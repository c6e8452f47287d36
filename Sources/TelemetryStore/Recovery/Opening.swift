import Glibc
import Telemetry
import TelemetryCodec

/// The first steps of opening: directory, lock, catalogue, empty tables.
extension TelemetryStore {
    static func prepareDirectory(_ path: String, _ fileSystem: any FileSystem) throws(StoreError) -> any FileLock {
        do throws(FileError) {
            let isNew = try !fileSystem.exists(path + "/catalog")
            try createDurably(path, mayBeUnsynced: isNew, fileSystem)
            let lock = try fileSystem.lock(path + "/LOCK")
            try fileSystem.createDirectory(path + "/log")
            try fileSystem.createDirectory(path + "/tables")
            try fileSystem.syncDirectory(path)
            return lock
        } catch {
            if let holder = error.lockHolder {
                throw StoreError(.locked, "\(path) is in use by \(holder); stop it first, or give this one another store.path")
            }
            let failure = error.storeError
            throw failure.code == .fatal ? StoreError(.unusable, failure.detail) : failure
        }
    }

    /// Creates what is missing of the path, each entry synced in its parent: a store whose name is lost is lost.
    /// - Parameter mayBeUnsynced: an entry that is there is synced too: the process that made it may have died before it could.
    private static func createDurably(_ path: String, mayBeUnsynced: Bool, _ fileSystem: any FileSystem) throws(FileError) {
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        if try fileSystem.exists(path) {
            guard mayBeUnsynced else { return }
            do throws(FileError) {
                try fileSystem.syncDirectory(parent)
            } catch {
                // A parent that may not be read was made by somebody else, and so was the entry in it.
                guard error.errno == EACCES else { throw error }
            }
            return
        }
        try createDurably(parent, mayBeUnsynced: mayBeUnsynced, fileSystem)
        try fileSystem.createDirectory(path)
        try fileSystem.syncDirectory(parent)
    }

    static func loadCatalog(
        _ path: String, _ options: [TableOptions], _ fileSystem: any FileSystem
    ) throws(StoreError) -> Catalog {
        let file = path + "/catalog"
        var catalog: Catalog
        if let bytes = try storing({ () throws(FileError) in try fileSystem.contents(of: file) }) {
            do throws(CodecError) { catalog = try bytes.withBytes { (bytes) throws(CodecError) in try Catalog(bytes) } } catch {
                throw error.storeError(file, at: 0, "the catalogue is damaged")
            }
        } else {
            let logs = try storing { () throws(FileError) in try fileSystem.list(path + "/log") }
            guard !logs.contains(where: { LogFile(name: $0) != nil }) else {
                throw StoreError(.corruption, "\(file) is missing, but \(path)/log holds a log: restore the file, or move the log away")
            }
            catalog = Catalog(storeID: .random())
        }
        if try catalog.adopt(options) {
            let encoded = catalog.encoded
            try storing { () throws(FileError) in
                try encoded.withBytes { (bytes) throws(FileError) in try fileSystem.replace(file, with: bytes) }
            }
        }
        return catalog
    }

    /// One core per table of the catalogue, by number. A table that left the configuration keeps its data untouched.
    static func makeCores(
        _ catalog: Catalog, _ configured: [TableOptions], _ options: StoreOptions, _ cache: FrameCache, _ fileSystem: any FileSystem,
        _ clock: any WallClock, _ headMemory: MemoryGauge
    ) throws(StoreError) -> [TableCore] {
        var cores: [TableCore] = []
        for entry in catalog.tables {
            let directory = options.path + "/tables/" + entry.name
            try storing { () throws(FileError) in
                try fileSystem.createDirectory(directory)
                try fileSystem.syncDirectory(options.path + "/tables")
            }
            cores.append(
                TableCore(
                    number: entry.number, options: configured.first { $0.name == entry.name } ?? retained(entry), directory: directory,
                    fileSystem: fileSystem, cache: cache, compressionLevel: options.compressionLevel, clock: clock, headMemory: headMemory))
        }
        return cores
    }

    /// What is known of a table that is not configured: what is fixed about it, and nothing that would drop its data.
    static func retained(_ entry: Catalog.Entry) -> TableOptions {
        var options = TableOptions(name: entry.name)
        options.buckets = entry.buckets
        options.partitionLength = entry.partitionLength
        options.ttl = TimeSpan(microseconds: .max)
        options.maxVersions = 100
        return options
    }
}
