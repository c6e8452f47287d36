import Telemetry
import Testing

@testable import TelemetryStore

/// A store on a simulated disk with a clock that is moved by hand.
///
/// `@unchecked Sendable`: set up before other threads come.
final class Bench: @unchecked Sendable {
    let disk: SimulatedFileSystem
    let clock: ManualClock
    var tableOptions: TableOptions
    var storeOptions = StoreOptions(path: "/store")
    private(set) var store: TelemetryStore

    static let start = Timestamp(microseconds: 1_764_000_000_000_000)

    init(disk: SimulatedFileSystem = .init(), configure: (inout TableOptions, inout StoreOptions) -> Void = { _, _ in }) throws {
        self.disk = disk
        clock = ManualClock(Bench.start)
        var options = TableOptions(name: "telemetry")
        options.partitionLength = .minutes(1)
        options.sealAfter = .seconds(10)
        storeOptions.logFileByteCount = 1 << 16
        configure(&options, &storeOptions)
        tableOptions = options
        store = try TelemetryStore.open(options: storeOptions, tables: [options], fileSystem: disk, clock: clock)
    }

    var table: Table { store.tables[0] }

    @discardableResult
    func commit(_ readings: Reading...) throws -> CommitReceipt {
        var batch = ReadingBatch()
        for reading in readings { batch.append(reading) }
        return try store.commit(&batch)
    }

    func reopen() throws {
        try store.close()
        store = try TelemetryStore.open(options: storeOptions, tables: [tableOptions], fileSystem: disk, clock: clock)
    }

    /// Window and grace are over, and maintenance has seen it.
    func seal() throws {
        clock.advance(by: tableOptions.partitionLength + tableOptions.sealAfter)
        try store.performMaintenance()
    }

    func flush() throws {
        for partition in table.core.lock.reading({ Array(table.core.partitions.values) }) {
            try store.maintenance.turn { () throws(StoreError) in try store.maintenance.flush(partition, of: table.core) }
        }
    }

    func rows(_ device: String, versions: Int = 1) throws -> RangePage {
        var query = RangeQuery(device: device, start: .distantPast, end: .distantFuture)
        query.versions = versions
        return try #require(try table.range(query))
    }

    func value(_ device: String, _ field: String) -> FieldValue? {
        guard let latest = table.latest(device: device, fields: [field]) else { return nil }
        return latest.entries.first?.cell.value(in: latest.bytes)
    }
}

func reading(_ device: String, _ time: Timestamp?, _ fields: [String: FieldValue]) -> Reading {
    Reading(device: device, time: time, fields: fields)
}

extension TimeSpan {
    static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan { TimeSpan(microseconds: a.microseconds + b.microseconds) }
}

/// What a test hands to a thread that it joins.
struct Unchecked: @unchecked Sendable {
    let run: () -> Void
}
