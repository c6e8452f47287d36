import Glibc
import Telemetry
import TelemetryCodec

@testable import TelemetryStore

/// The store whose files the seeds are: a fuzzer puts one mutated file among the others and opens it.
package enum GoldenStore {
    /// `GAUGEHOUSE_GOLDEN` names the directory.
    private static let files: [String: [UInt8]] = {
        guard let directory = getenv("GAUGEHOUSE_GOLDEN").map({ String(cString: $0) }) else {
            preconditionFailure("set GAUGEHOUSE_GOLDEN to the directory of the golden store")
        }
        var files: [String: [UInt8]] = [:]
        load(directory, "/store", into: &files)
        precondition(files["/store/catalog"] != nil, "\(directory) holds no golden store")
        return files
    }()

    private static func load(_ path: String, _ name: String, into files: inout [String: [UInt8]]) {
        let real = RealFileSystem()
        for entry in (try? real.list(path)) ?? [] {
            if let bytes = (try? real.contents(of: path + "/" + entry)) ?? nil {
                files[name + "/" + entry] = Array(bytes.buffer)
            } else {
                load(path + "/" + entry, name + "/" + entry, into: &files)
            }
        }
    }

    package static var storeID: [UInt8] { Array(files["/store/catalog"]![12..<28]) }

    /// The golden store with the one file whose name ends in `suffix` replaced.
    package static func disk(replacing suffix: String, by bytes: [UInt8]) -> MemoryFileSystem {
        let disk = MemoryFileSystem()
        for (path, content) in files { disk.put(path, path.hasSuffix(suffix) ? bytes : content) }
        return disk
    }

    /// Inspects, dumps, opens and reads a store. Nothing of it may trap; errors are right.
    package static func exercise(_ disk: MemoryFileSystem, dumping suffix: String) {
        var inspection = StoreInspector.Options()
        (inspection.isDeep, inspection.measuresUsage) = (true, true)
        let report = try? StoreInspector(path: "/store", options: inspection, fileSystem: disk).inspect()
        var dump = FileDump.Options()
        (dump.showsRows, dump.limit) = (true, 10_000)
        for path in files.keys where path.hasSuffix(suffix) {
            do throws(StoreError) { try FileDump(path: path, options: dump, fileSystem: disk).run { _ in } } catch {
                precondition(!error.detail.isEmpty)
            }
        }
        open(disk, isSound: report?.isSound ?? false)
    }

    private static func open(_ disk: MemoryFileSystem, isSound: Bool) {
        var options = StoreOptions(path: "/store")
        options.logFileByteCount = 2_048
        var table = TableOptions(name: "telemetry")
        (table.buckets, table.maxVersions, table.partitionLength) = (4, 2, .minutes(1))
        table.requiredDeliveries = ["archive"]
        do throws(StoreError) {
            let store = try TelemetryStore.open(options: options, tables: [table], fileSystem: disk, clock: FixedClock())
            for device in ["line/1", "line/2"] {
                var query = RangeQuery(device: device, start: .distantPast, end: .distantFuture)
                query.versions = 2
                _ = try store.tables[0].range(query)
                _ = store.tables[0].latest(device: device, fields: nil)
            }
            _ = store.tables[0].summary()
            try store.close()
        } catch {
            // What opening calls damage, an inspection finds.
            precondition(error.code != .corruption || !isSound, "an inspection missed: \(error.detail)")
        }
    }
}

private struct FixedClock: WallClock {
    func now() -> Timestamp { Timestamp(microseconds: 1_764_000_090_000_000) }
    func uptime() -> TimeSpan { .zero }
}
