import Logging
import ObjectStorage
import Synchronization
import Telemetry
import TelemetryStore

/// All tasks of a gateway, each with its thread: those of the configuration, and those created and deleted while it runs.
///
/// Any thread; what changes a task blocks.
package final class Deliveries: Sendable {
    /// A task that was created while the gateway ran and cannot be had any more, because the configuration changed since.
    package struct Misfit: Sendable {
        package var name: String
        package var reason: String
        package var document: String

        package init(name: String, reason: String, document: String) {
            self.name = name
            self.reason = reason
            self.document = document
        }
    }

    private struct Member {
        var definition: DeliveryDefinition
        var worker: DeliveryWorker
    }

    private struct State {
        var members: [Member] = []
        var misfits: [Misfit] = []
        var isRunning = false
        var isStopping = false
    }

    /// How long whoever asks for a change waits for it.
    private static let patienceSeconds = 5.0

    /// Each has a thread, and whoever may create one may create many.
    private static let limit = 64

    private let store: TelemetryStore
    private let documents: DeliveryDocuments
    private let directory: String
    private let clock: any WallClock
    private let logger: Logger
    private let state: Mutex<State>
    /// One change at a time.
    private let changes = Mutex(())

    /// - Parameter definitions: names distinct, tables known.
    package init(
        store: TelemetryStore, definitions: [DeliveryDefinition], misfits: [Misfit] = [], documents: DeliveryDocuments,
        clock: any WallClock = SystemClock(), logger: Logger
    ) {
        self.store = store
        self.documents = documents
        self.clock = clock
        self.logger = logger
        directory = store.options.path + "/deliveries"
        state = Mutex(State(misfits: misfits))
        let members = definitions.map(makeMember)
        state.withLock { $0.members = members }
    }

    // MARK: - Life

    /// Runs the tasks until `stop`.
    package func run() {
        let workers = state.withLock { state in
            state.isRunning = true
            return state.isStopping ? [] : state.members.map(\.worker)
        }
        for worker in workers { worker.start() }
        stopping.wait()
        for worker in state.withLock({ $0.members.map(\.worker) }) { worker.waitUntilEnded() }
    }

    package func stop() {
        let workers = state.withLock { state in
            state.isStopping = true
            return state.members.map(\.worker)
        }
        for worker in workers { worker.requestStop() }
        stopping.set()
    }

    private let stopping = Latch()

    // MARK: - Looking

    /// In the order of the configuration, then of creation.
    package var tasks: [(definition: DeliveryDefinition, task: DeliveryTask)] {
        state.withLock { $0.members.map { ($0.definition, $0.worker.task) } }
    }

    package var misfits: [Misfit] { state.withLock { $0.misfits } }

    package func task(named name: String) -> (definition: DeliveryDefinition, task: DeliveryTask)? {
        tasks.first { $0.definition.options.name == name }
    }

    // MARK: - Changing

    /// 1. A ledger of an earlier task of the name begins anew; 2. the document is saved; 3. the task runs. A crash after 1 has changed
    /// nothing that anyone sees.
    package func create(_ definition: DeliveryDefinition) throws(DeliveryRefusal) {
        let name = definition.options.name
        try changing { () throws(DeliveryRefusal) in
            guard !isTaken(name) else { throw .conflict("there is a delivery named \(name) already") }
            guard count < Self.limit else { throw .conflict("there are \(count) deliveries; more than \(Self.limit) do not run here") }
            let member: Member
            do {
                let isKnown = try ledgerFile(name).exists()
                member = makeMember(definition)
                if isKnown {
                    try member.worker.task.restart()
                    try member.worker.task.resume()
                }
                try save(adding: definition)
            } catch {
                store.table(named: definition.options.table)?.require(nil, of: name)
                throw (error as? DeliveryRefusal) ?? .failed("\(error)")
            }
            let isRunning = state.withLock { state in
                state.members.append(member)
                return state.isRunning && !state.isStopping
            }
            if isRunning { member.worker.start() }
        }
    }

    /// 1. The document goes; 2. the thread ends; 3. nothing waits for the task any more. After a crash behind 1 the store still knows what
    /// the task had, which bothers nobody. Objects and the ledger stay: the numbers of a later task of the name go on.
    package func delete(_ name: String) throws(DeliveryRefusal) {
        try changing { () throws(DeliveryRefusal) in
            if state.withLock({ $0.misfits.contains { $0.name == name } }) { return try forgetMisfit(name) }
            let member = try member(name)
            guard member.definition.origin != .configuration else {
                throw .conflict("\(name) is defined in the configuration; remove it there")
            }
            try save(without: name)
            member.worker.requestStop()
            member.worker.waitUntilEnded()
            state.withLock { $0.members.removeAll { $0.definition.options.name == name } }
            // A later task of the name, also one of the configuration, begins anew: the store forgets the bounds of this one.
            do { try member.worker.task.retire() } catch { logger.error("the ledger of \(name) does not begin anew: \(error)") }
            guard let table = store.table(named: member.definition.options.table) else { return }
            table.require(nil, of: name)
            do { try table.forget(task: name) } catch { throw .failed("the task is gone; the store still knows what it had: \(error)") }
        }
    }

    /// - Returns: false: it takes longer than a few seconds, and will be done.
    package func pause(_ name: String) throws(DeliveryRefusal) -> Bool { try ask(name) { try $0.pause() } }

    package func resume(_ name: String) throws(DeliveryRefusal) -> Bool { try ask(name) { try $0.resume() } }

    package func restart(_ name: String) throws(DeliveryRefusal) -> Bool { try ask(name) { try $0.restart() } }

    /// A statement that makes a table of the task's objects. Reads some of them.
    /// - Throws: `.conflict` when nothing is delivered yet, or the engine cannot have the folders; `.failed`: the destination.
    package func statement(_ name: String, for engine: TableEngine) throws(DeliveryRefusal) -> String {
        let member = try member(name)
        let (definition, task) = (member.definition, member.worker.task)
        let objects = task.newestObjects
        guard !objects.isEmpty else { throw .conflict("\(name) has not delivered anything yet") }
        var columns: [TableStatement.Column] = []
        if !engine.findsColumns {
            do {
                columns = try ObjectColumns(destination: definition.destination).columns(of: objects)
            } catch {
                throw .failed("the newest objects cannot be read: \(error)")
            }
        }
        return try TableStatement(
            table: definition.options.table, task: name, location: definition.destination.engineLocation, prefix: definition.options.prefix,
            columns: columns
        ).text(for: engine)
    }

    private func ask(_ name: String, _ command: @escaping DeliveryWorker.Command) throws(DeliveryRefusal) -> Bool {
        let worker = try member(name).worker
        do { return try worker.perform(within: Self.patienceSeconds, command) } catch { throw .failed("\(error)") }
    }

    private func changing(_ body: () throws(DeliveryRefusal) -> Void) throws(DeliveryRefusal) {
        try changes.withLock { (_) throws(DeliveryRefusal) in try body() }
    }

    private func member(_ name: String) throws(DeliveryRefusal) -> Member {
        guard let member = state.withLock({ $0.members.first { $0.definition.options.name == name } }) else { throw .unknown(name: name) }
        return member
    }

    private var count: Int { state.withLock { $0.members.count + $0.misfits.count } }

    private func isTaken(_ name: String) -> Bool {
        state.withLock { state in
            state.members.contains { $0.definition.options.name == name } || state.misfits.contains { $0.name == name }
        }
    }

    private func forgetMisfit(_ name: String) throws(DeliveryRefusal) {
        try save(without: name)
        state.withLock { $0.misfits.removeAll { $0.name == name } }
        // The configuration may have a task of the name, which holds what it is to have.
        let running = state.withLock { $0.members.first { $0.definition.options.name == name }?.definition.options.table }
        for table in store.tables where table.name != running { table.require(nil, of: name) }
    }

    private func save(adding definition: DeliveryDefinition? = nil, without name: String? = nil) throws(DeliveryRefusal) {
        let known = state.withLock { state in
            state.members.map(\.definition).filter { $0.options.name != name }.compactMap(\.document)
                + state.misfits.filter { $0.name != name }.map(\.document)
        }
        try documents.save(known + [definition?.document].compactMap { $0 })
    }

    private func makeMember(_ definition: DeliveryDefinition) -> Member {
        guard let table = store.table(named: definition.options.table) else { preconditionFailure("tables were checked") }
        let task = DeliveryTask(
            options: definition.options, table: table, destination: definition.destination,
            ledgerPath: ledgerFile(definition.options.name).path, clock: clock, stop: definition.stop, logger: logger)
        return Member(definition: definition, worker: DeliveryWorker(task))
    }

    private func ledgerFile(_ name: String) -> LedgerFile {
        LedgerFile(path: "\(directory)/\(name)", task: name, fileSystem: RealFileSystem())
    }
}

extension DeliveryDefinition {
    fileprivate var document: String? { if case .api(let document) = origin { document } else { nil } }
}
