import Foundation
import IndependentReaders
import Logging
import ObjectStorage
import Synchronization
import Telemetry
import TelemetryStore
import Testing

@testable import Delivery

/// A temporary directory with a store, a clock that stands, and a delivery to a directory beside the store.
final class TestBed {
    /// 2025-11-24T16:00:00Z, the start of the first partition.
    static let start = Timestamp(microseconds: 1_764_000_000_000_000)

    /// Memory where there is some: hundreds of stores are opened and synced here.
    private static let temporaryDirectory =
        FileManager.default.isWritableFile(atPath: "/dev/shm") ? URL(fileURLWithPath: "/dev/shm") : FileManager.default.temporaryDirectory

    /// What differs between beds.
    struct Setup: Sendable, CustomTestStringConvertible {
        var mode = DeliveryMode.aged
        var prefix = "table=$table/year=$yyyy/month=$MM/day=$dd/hour=$HH"
        var prefixTime = PrefixTime.reading
        var maxObjectByteCount = 64 << 20
        var partitionLength = TimeSpan.hours(1)
        var buckets = 16
        var retains = true
        var hasBucketColumn = false

        var testDescription: String { "\(mode), \(prefix), \(partitionLength.seconds / 3_600) h" }
    }

    let directory: URL
    let clock: ManualClock
    let faults = Faults()
    let setup: Setup
    private var opened: (store: TelemetryStore, task: DeliveryTask)?

    init(_ setup: Setup, copying original: URL? = nil, at time: Timestamp = TestBed.start) throws {
        directory = Self.temporaryDirectory.appendingPathComponent("delivery-\(UUID().uuidString)")
        if let original {
            try FileManager.default.copyItem(at: original, to: directory)
        } else {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        }
        clock = ManualClock(time)
        self.setup = setup
        try open()
    }

    convenience init(prefix: String = Setup().prefix, maxObjectByteCount: Int = 64 << 20) throws {
        try self.init(Setup(prefix: prefix, maxObjectByteCount: maxObjectByteCount))
    }

    deinit {
        try? opened?.store.close()
        try? FileManager.default.removeItem(at: directory)
    }

    var store: TelemetryStore { opened!.store }
    var task: DeliveryTask { opened!.task }
    var archive: String { directory.path + "/archive" }
    var ledgerPath: String { directory.path + "/deliveries/archive.ledger" }
    var table: Table { store.tables[0] }

    /// As after a crash: everything is opened anew, and nothing fails any more.
    /// - Parameter setup: of the new task; nil: as before.
    func restart(_ setup: Setup? = nil) throws {
        try store.close()
        opened = nil
        faults.disarm()
        try open(setup)
    }

    private func open(_ other: Setup? = nil) throws {
        let setup = other ?? setup
        let store = try Self.openStore(directory, clock, setup)
        opened = (store, try Self.makeTask(directory, store, clock, faults, setup))
    }

    /// One pass of maintenance and one run.
    @discardableResult
    func pass() throws -> DeliveryReport {
        try store.performMaintenance()
        return task.runOnce()
    }

    func commit(_ readings: [Reading]) throws {
        var batch = ReadingBatch()
        for reading in readings { batch.append(reading) }
        let receipt = try store.commit(&batch)
        #expect(receipt.rejections.isEmpty && receipt.accepted == readings.count)
    }

    /// Moves past window, grace and age, and seals.
    func seal() throws {
        // Late rows are gathered for `sealAfter` once more.
        clock.set(to: max(clock.now() + .milliseconds(1), Self.start + .hours(4)))
        try store.performMaintenance()
    }

    /// Paths of objects below the archive, sorted; unfinished files included.
    func files() throws -> [String] { allFiles().filter { !$0.hasPrefix("_") } }

    func manifests() throws -> [String] { allFiles().filter { $0.hasPrefix("_manifests/") } }

    private func allFiles() -> [String] {
        guard let all = FileManager.default.enumerator(atPath: archive) else { return [] }
        return all.compactMap { $0 as? String }.filter { !isDirectory("\(archive)/\($0)") }.sorted()
    }

    func readAll() throws -> [IndependentReaders.File] { try IndependentReaders.read(try files().map { "\(archive)/\($0)" }) }

    private func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    private static func openStore(_ directory: URL, _ clock: ManualClock, _ setup: Setup) throws -> TelemetryStore {
        var table = TableOptions(name: "telemetry")
        table.partitionLength = setup.partitionLength
        table.buckets = setup.buckets
        table.retainUntilDelivered = setup.retains
        table.sealAfter = .milliseconds(1)
        table.requiredDeliveries = ["archive"]
        var options = StoreOptions(path: directory.path + "/store")
        // Small: every start looks through the unused rest of the log.
        options.logFileByteCount = 160 << 10
        options.durability = .none
        return try TelemetryStore.open(options: options, tables: [table], clock: clock)
    }

    private static func makeTask(
        _ directory: URL, _ store: TelemetryStore, _ clock: ManualClock, _ faults: Faults, _ setup: Setup
    ) throws -> DeliveryTask {
        var options = try DeliveryOptions(
            name: "archive", table: "telemetry", prefix: setup.prefix, maxObjectByteCount: setup.maxObjectByteCount, version: "1.2.3",
            build: "test")
        (options.mode, options.prefixTime) = (setup.mode, setup.prefixTime)
        options.hasBucketColumn = setup.hasBucketColumn
        let local = try LocalDirectoryDestination(url: "file://\(directory.path)/archive")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return DeliveryTask(
            options: options, table: store.tables[0], destination: FaultyDestination(local, faults),
            ledgerPath: directory.path + "/deliveries/archive.ledger", fileSystem: FaultyFileSystem(faults), clock: clock, logger: logger)
    }
}

extension TestBed {
    static func reading(_ device: String, _ offset: TimeSpan, _ fields: [String: FieldValue]) -> Reading {
        Reading(device: device, time: start + offset, fields: fields)
    }

    /// `count` readings of ten devices within the first hour; incompressible, about 40 bytes each.
    static func noise(_ count: Int, seed: UInt64 = 1) -> [Reading] {
        var random = SplitMix(seed)
        return (0..<count).map { index in
            reading(
                "device-\(index % 10)", TimeSpan(microseconds: Int64(index) * 3_599_000_000 / Int64(count)),
                [
                    "a": .double(.random(in: 0...1, using: &random)), "b": .double(.random(in: 0...1, using: &random)),
                    "c": .integer(.random(in: .min ... .max, using: &random)), "d": .string("\(index % 7)"),
                ])
        }
    }
}

/// What readers must find: one entry per (device, time), fields as texts of dump_parquet.py.
struct ExpectedRows: Equatable {
    var rows: [String: [String: String]] = [:]

    /// Later readings win field by field.
    init(_ readings: [Reading], integersAsDoubles: Set<String> = []) {
        for reading in readings {
            for (name, value) in reading.fields {
                rows["\(reading.device)@\(reading.time!.microseconds)", default: [:]][name] =
                    integersAsDoubles.contains(name) ? value.asDouble.readerText : value.readerText
            }
        }
    }

    init(_ files: [IndependentReaders.File]) {
        for file in files {
            for row in file.rows {
                let device = row[0]!.dropFirst(2)
                let time = row[1]!.dropFirst(2)
                let isNew = rows["\(device)@\(time)"] == nil
                #expect(isNew, "\(device)@\(time) is delivered twice")
                var fields: [String: String] = [:]
                for (column, value) in zip(file.columns, row).dropFirst(2) { fields[column.name] = value }
                rows["\(device)@\(time)"] = fields
            }
        }
    }
}

extension FieldValue {
    fileprivate var readerText: String {
        switch self {
        case .integer(let value): "i:\(value)"
        case .double(let value): IndependentReaders.text(value)
        case .boolean(let value): "o:\(value)"
        case .string(let value): "s:\(value)"
        case .binary(let value): IndependentReaders.text(binary: value)
        }
    }

    fileprivate var asDouble: FieldValue { if case .integer(let value) = self { .double(Double(value)) } else { self } }
}

struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
