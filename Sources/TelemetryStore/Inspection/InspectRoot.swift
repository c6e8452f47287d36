import Telemetry
import TelemetryCodec

/// The files at the top of a store: catalogue and checkpoint.
extension Inspection {
    private static let known: Set<String> = ["LOCK", "catalog", "checkpoint", "reserve", "log", "tables", "deliveries"]

    /// Frames of version 1 hold blocks of several devices, which follow each other.
    private static let cacheByteCount = 4 << 20

    mutating func inspectRoot() {
        for name in names(in: path) where !Inspection.known.contains(name) {
            found(.unknownFile, path + "/" + name, "no file of a store has this name")
        }
    }

    mutating func readCatalog() {
        let file = path + "/catalog"
        guard exists(file) else {
            if exists(path + "/log"), !names(in: path + "/log").isEmpty {
                found(.catalog, file, "the catalogue is missing, but there is a log")
            } else {
                found(.emptyStore, path, "there is no store in this directory yet")
            }
            return
        }
        guard let bytes = contents(file) else { return }
        do throws(CodecError) {
            let catalog = try bytes.withBytes { (bytes) throws(CodecError) in try Catalog(bytes) }
            storeID = catalog.storeID
            for entry in catalog.tables { add(entry) }
        } catch {
            found(error, .catalog, file, at: 0, "the catalogue is damaged")
        }
        checkTableDirectories()
    }

    private mutating func add(_ entry: Catalog.Entry) {
        tables.append(
            Table(
                core: TableCore(
                    number: entry.number, options: TelemetryStore.retained(entry), directory: path + "/tables/" + entry.name,
                    fileSystem: fileSystem, cache: FrameCache(byteBudget: Inspection.cacheByteCount), compressionLevel: 3,
                    clock: SystemClock(), headMemory: MemoryGauge())))
        report.tables.append(InspectionReport.Table(name: entry.name))
    }

    private mutating func checkTableDirectories() {
        guard storeID != nil, exists(path + "/tables") else { return }
        for name in names(in: path + "/tables") where !tables.contains(where: { $0.core.options.name == name }) {
            found(.unknownDirectory, path + "/tables/" + name, "the catalogue has no table of this name")
        }
    }

    /// Fills names, next flushes and marks of dropped windows into `tables`.
    mutating func readCheckpoint() {
        let file = path + "/checkpoint"
        guard storeID != nil, exists(file) else { return }
        guard let bytes = contents(file) else {
            knowsNames = false
            return
        }
        report.checkpointByteCount = bytes.count
        let cores = Dictionary(uniqueKeysWithValues: tables.map { ($0.core.number, $0.core) })
        do throws(CodecError) {
            checkpoint = try bytes.withBytes { (bytes) throws(CodecError) in try Checkpoint.decode(bytes, tables: cores) }
        } catch {
            knowsNames = false
            found(error, .checkpoint, file, at: 0, "the checkpoint is damaged")
        }
    }
}
