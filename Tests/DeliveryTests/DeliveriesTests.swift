import Foundation
import Logging
import ObjectStorage
import Telemetry
import TelemetryStore
import Testing

@testable import Delivery

/// Tasks come and go while the gateway runs.
@Suite struct DeliveriesTests {
    /// A store in a directory of its own, and deliveries that run in threads of theirs by the real clock.
    private final class Bench {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("deliveries-\(UUID().uuidString)")
        private(set) var store: TelemetryStore
        private(set) var deliveries: Deliveries
        private var thread: Thread?

        init(configured: [String] = []) throws {
            store = try Self.open(directory)
            deliveries = try Self.make(directory, store, configured)
            run()
        }

        deinit {
            deliveries.stop()
            while thread?.isFinished == false { Thread.sleep(forTimeInterval: 0.01) }
            try? store.close()
            try? FileManager.default.removeItem(at: directory)
        }

        var archive: String { directory.path + "/archive" }
        var table: Table { store.tables[0] }

        func restart(configured: [String] = []) throws {
            deliveries.stop()
            while thread?.isFinished == false { Thread.sleep(forTimeInterval: 0.01) }
            try store.close()
            store = try Self.open(directory)
            deliveries = try Self.make(directory, store, configured)
            run()
        }

        private func run() {
            let deliveries = deliveries
            thread = Thread { deliveries.run() }
            thread?.start()
        }

        func commit(_ value: Int64) throws {
            var batch = ReadingBatch()
            batch.append(Reading(device: "d", time: nil, fields: ["v": .integer(value)]))
            _ = try store.commit(&batch)
        }

        func wait(_ what: Comment, _ condition: () throws -> Bool) throws {
            let end = Date(timeIntervalSinceNow: 20)
            while try !condition() {
                guard Date() < end else {
                    Issue.record(what)
                    return
                }
                Thread.sleep(forTimeInterval: 0.02)
            }
        }

        func objects(_ name: String) -> Int { deliveries.task(named: name)?.task.status.totals.objectCount ?? -1 }

        static func definition(_ name: String, _ directory: URL, api: Bool = true) throws -> DeliveryDefinition {
            var options = try DeliveryOptions(name: name, table: "telemetry", prefix: "$task", version: "1", build: "test")
            options.mode = .differential
            options.maxObjectAge = .seconds(1)
            return DeliveryDefinition(
                options: options, destination: try LocalDirectoryDestination(url: "file://\(directory.path)/archive"),
                origin: api ? .api(document: "{\"name\":\"\(name)\"}") : .configuration)
        }

        func create(_ name: String) throws { try deliveries.create(Self.definition(name, directory)) }

        private static func open(_ directory: URL) throws -> TelemetryStore {
            var options = StoreOptions(path: directory.path + "/store")
            options.logFileByteCount = 160 << 10
            return try TelemetryStore.open(options: options, tables: [TableOptions(name: "telemetry")])
        }

        private static func make(_ directory: URL, _ store: TelemetryStore, _ configured: [String]) throws -> Deliveries {
            let documents = DeliveryDocuments(storePath: store.options.path)
            struct Named: Decodable { var name: String }
            let stored = try documents.load().map { try JSONDecoder().decode(Named.self, from: Data($0.utf8)).name }
            let definitions =
                try configured.map { try definition($0, directory, api: false) } + stored.map { try definition($0, directory) }
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            return Deliveries(store: store, definitions: definitions, documents: documents, logger: logger)
        }
    }

    @Test func aTaskThatIsCreatedDeliversAndSurvivesARestart() throws {
        let bench = try Bench()
        try bench.commit(1)
        try bench.create("one")
        try bench.wait("what is there is delivered") { bench.objects("one") == 1 }
        #expect(throws: DeliveryRefusal.conflict("there is a delivery named one already")) { try bench.create("one") }
        try bench.restart()
        #expect(bench.deliveries.tasks.map(\.definition.options.name) == ["one"] && bench.objects("one") == 1)
        try bench.commit(2)
        try bench.wait("what comes is delivered") { bench.objects("one") == 2 }
    }

    @Test func aTaskThatIsDeletedIsGoneAndHoldsNothing() throws {
        let bench = try Bench()
        try bench.create("one")
        try bench.create("two")
        try bench.deliveries.delete("one")
        #expect(bench.deliveries.tasks.map(\.definition.options.name) == ["two"])
        #expect(throws: DeliveryRefusal.unknown(name: "one")) { try bench.deliveries.delete("one") }
        try bench.commit(1)
        try bench.wait("the other goes on") { bench.objects("two") == 1 }
        try bench.restart()
        #expect(bench.deliveries.tasks.map(\.definition.options.name) == ["two"])
    }

    /// A later task of the name begins anew, and its numbers go on: no number is given twice.
    @Test func aTaskOfAnEarlierNameDeliversEverythingUnderFurtherNumbers() throws {
        let bench = try Bench()
        try bench.commit(1)
        try bench.create("one")
        try bench.wait("it is delivered") { bench.objects("one") == 1 }
        try bench.deliveries.delete("one")
        try bench.create("one")
        try bench.wait("it is delivered again") { bench.objects("one") == 2 }
        let names = try FileManager.default.contentsOfDirectory(atPath: bench.archive + "/one").sorted()
        #expect(names == ["one_0_one__00000000.parquet", "one_0_one__00000001.parquet"])
    }

    @Test func aTaskOfTheConfigurationIsNotDeleted() throws {
        let bench = try Bench(configured: ["fixed"])
        #expect(throws: DeliveryRefusal.conflict("fixed is defined in the configuration; remove it there")) {
            try bench.deliveries.delete("fixed")
        }
        #expect(try bench.deliveries.pause("fixed"))
        #expect(bench.deliveries.task(named: "fixed")?.task.status.activity == .paused)
    }

    @Test func pauseResumeAndRestartWorkBesideTheThread() throws {
        let bench = try Bench()
        try bench.create("one")
        #expect(try bench.deliveries.pause("one"))
        try bench.commit(1)
        Thread.sleep(forTimeInterval: 2.5)
        #expect(bench.objects("one") == 0)
        #expect(try bench.deliveries.resume("one"))
        try bench.wait("it goes on") { bench.objects("one") == 1 }
        #expect(try bench.deliveries.restart("one"))
        try bench.wait("it delivers again") { bench.objects("one") == 2 }
        #expect(throws: DeliveryRefusal.unknown(name: "two")) { _ = try bench.deliveries.pause("two") }
    }

    @Test(arguments: ["[1", "{\"version\":2,\"tasks\":[]}", "{\"tasks\":3}"])
    func aFileOfTasksThatCannotBeReadIsNamed(content: String) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tasks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try Data(content.utf8).write(to: directory.appendingPathComponent("delivery-tasks"))
        do throws(DeliveryRefusal) {
            _ = try DeliveryDocuments(storePath: directory.path).load()
            Issue.record("it was read")
        } catch {
            guard case .failed(let reason) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(reason.contains(directory.path + "/delivery-tasks"))
        }
    }

    /// Each has a thread: whoever may create tasks may not take all there are.
    @Test func moreTasksThanAFewDozenAreRefused() throws {
        let bench = try Bench(configured: ["fixed"])
        func create(_ name: String) throws { try bench.deliveries.create(try Bench.definition(name, bench.directory)) }
        for number in 0..<63 { try create("task-\(number)") }
        #expect(throws: DeliveryRefusal.conflict("there are 64 deliveries; more than 64 do not run here")) { try create("one-more") }
        #expect(bench.deliveries.tasks.count == 64)
        try bench.deliveries.delete("task-7")
        try create("one-more")
    }
}
