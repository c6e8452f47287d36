import Glibc
import Telemetry

@testable import TelemetryStore

/// The store and the model say different things.
struct Disagreement: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

func agree(_ isTrue: Bool, _ what: @autoclosure () -> String) throws(Disagreement) {
    if !isTrue { throw Disagreement(what()) }
}

/// A store that lives through a script beside its model.
final class Life {
    /// A batch that was handed to the store.
    struct Batch {
        var readings: [Reading]
        var note: [UInt8]
    }

    /// What a crash must not take away: everything that was acked or visible.
    struct Memory {
        var model = Model()
        /// Drops up to here are durable.
        var droppedThrough = Int64.min
        /// Partition records as they were last seen, by window.
        var records: [Int64: PartitionRecord] = [:]
        /// Handed over, neither acked nor refused: there whole or not at all.
        var underWay: Batch?
        var now: Timestamp
    }

    let options: LifeOptions
    let clock: ManualClock
    private(set) var disk: SimulatedFileSystem
    private(set) var store: TelemetryStore?
    private(set) var memory: Memory
    /// What the delivery tasks have: task and window → rows.
    private var delivered: [String: [Int64: DeliveredRows]] = [:]
    private var lastBatch: Batch?
    private var noteCount = 0
    /// Operations that failed before the commit under way.
    private var failureCount = 0

    init(options: LifeOptions, disk: SimulatedFileSystem = .init(), memory: Memory = Memory(now: Bench.start)) {
        self.options = options
        self.disk = disk
        self.memory = memory
        clock = ManualClock(memory.now)
    }

    var table: Table { store!.tables[0] }
    var core: TableCore { table.core }

    /// Lives through a script, and looks at everything after each step.
    static func run(_ script: Script) throws {
        let life = Life(options: script.options)
        try life.open()
        for line in script.lines {
            try life.perform(line.step)
            try life.check(seed: line.checkSeed)
        }
        try life.close()
        try life.open()
        try life.checkWholly()
        try life.close()
    }

    // MARK: - Coming and going

    func openUnchecked() throws {
        store = try TelemetryStore.open(options: options.store, tables: [options.table], fileSystem: disk, clock: clock)
    }

    /// Takes a model for what the store should hold.
    func adopt(_ model: Model) { memory.model = model }

    /// Opens the store, and finds out what became of a batch that was under way.
    func open() throws {
        try openUnchecked()
        try settleUnderWay()
        try agree(droppedThrough >= memory.droppedThrough, "windows that were dropped are back")
        try checkRecords()
        noteDrops()
    }

    func close() throws {
        defer { store = nil }
        try store?.close()
    }

    /// Lets the store go as it is.
    func abandon() { store = nil }

    /// The process is gone, and with it what the cut does not spare.
    func crash(_ cut: PowerCut, using random: inout SeededGenerator) {
        // A store that is let go stops its thread and writes nothing.
        store = nil
        if cut != .killed { disk = disk.crashed(cut, using: &random) }
    }

    private func settleUnderWay() throws {
        guard let batch = memory.underWay else { return }
        memory.underWay = nil
        let sequence = store!.sequence
        guard sequence != memory.model.sequence else {
            // A note alone has no sequence number that would tell.
            if batch.readings.isEmpty, store!.note(from: "test") == batch.note { memory.model.note = batch.note }
            return
        }
        try agree(
            sequence == memory.model.sequence + UInt64(batch.readings.count),
            "the store's sequence is \(sequence); acked \(memory.model.sequence), under way \(batch.readings.count)")
        remember(batch, commitTime: store!.log.commitTime)
    }

    /// - Returns: number of readings that said nothing new.
    @discardableResult
    private func remember(_ batch: Batch, commitTime: Int64) -> Int {
        memory.model.note = batch.note
        return batch.readings.count { !memory.model.write($0, commitTime: commitTime) }
    }

    // MARK: - Steps

    /// - Throws: `StoreError` as the store does; `Disagreement`.
    func perform(_ step: Step) throws {
        // Also when it fails: then the store has begun what is not durable yet.
        defer {
            memory.now = clock.now()
            if store != nil { memory.model.droppedThrough = droppedThrough }
        }
        switch step {
        case .commit(let drafts): try commit(drafts)
        case .series(let series): try commit(series.drafts())
        case .redeliver: if let lastBatch { try commit(lastBatch.readings) }
        case .flush: try flushAll()
        case .maintain: try maintain()
        case .advance(let seconds): clock.advance(by: .seconds(seconds))
        case .deliver(let completes): for task in options.deliveries { try deliver(task, completes: completes) }
        case .restart:
            try close()
            try open()
        case .kill:
            store = nil
            try open()
        case .cutPower(let cut, let seed):
            var random = SeededGenerator(seed: seed)
            crash(cut, using: &random)
            try open()
            try checkWholly()
        }
        noteRecords()
    }

    private func commit(_ drafts: [Draft]) throws {
        var batch = ReadingBatch()
        for draft in drafts { batch.append(draft.reading(at: clock.now())) }
        store!.assignMissingTimes(&batch)
        try commit((0..<batch.count).map { batch.reading(at: $0) })
    }

    private func commit(_ readings: [Reading]) throws {
        // With nobody else to do maintenance, a commit above the budget would wait for ever.
        if store!.statistics.headByteCount > options.headByteBudget { try maintain() }
        var batch = ReadingBatch()
        for reading in readings { batch.append(reading) }
        let oldest = max(clock.now() - options.table.ttl, Timestamp(microseconds: droppedThrough))
        let accepted = readings.filter { $0.time! >= oldest && $0.time! <= clock.now() + options.table.maxFuture }
        noteCount += 1
        failureCount = disk.failureCount
        let own = Batch(readings: accepted, note: [UInt8(noteCount & 0xFF), UInt8(noteCount >> 8 & 0xFF)])
        let (hasProblem, commitTime) = (store!.clockProblem != nil, store!.log.commitTime)
        if !hasProblem { memory.underWay = own }
        let receipt: CommitReceipt
        do throws(StoreError) {
            receipt = try store!.commit(&batch, notes: [CommitNote(source: "test", bytes: own.note)])
        } catch {
            guard error.code == .clock else { throw error }
            try agree(hasProblem, "refused with a good clock: \(error)")
            return
        }
        try agree(!hasProblem, "accepted with a wrong clock")
        memory.underWay = nil
        try checkReceipt(receipt, own, of: readings.count, commitTimeBefore: commitTime)
        lastBatch = Batch(readings: readings, note: own.note)
    }

    private func checkReceipt(_ receipt: CommitReceipt, _ batch: Batch, of count: Int, commitTimeBefore: Int64) throws {
        try agree(receipt.accepted == batch.readings.count, "accepted \(receipt.accepted) of \(count), expected \(batch.readings.count)")
        try agree(receipt.rejections.count == count - receipt.accepted, "\(receipt.rejections.count) rejections")
        let commitTime = store!.log.commitTime
        try agree(commitTime > commitTimeBefore, "commit time \(commitTime) after \(commitTimeBefore)")
        let duplicates = remember(batch, commitTime: commitTime)
        guard disk.failureCount == failureCount else { return }
        try agree(receipt.duplicates == duplicates, "\(receipt.duplicates) duplicates, expected \(duplicates)")
        try agree(receipt.sequence == memory.model.sequence, "receipt of \(receipt.sequence), expected \(memory.model.sequence)")
    }

    func flushAll() throws {
        for partition in core.lock.reading({ Array(core.partitions.values) }).sorted(by: { $0.id < $1.id }) {
            try store!.maintenance.turn { () throws(StoreError) in try store!.maintenance.flush(partition, of: core) }
        }
    }

    private func maintain() throws {
        let before = table.partitions()
        defer { noteRecords() }
        try store!.performMaintenance()
        try checkDrops(before)
        noteDrops()
    }

    private func deliver(_ task: String, completes: Bool) throws {
        defer { noteRecords() }
        for due in table.deliverable(task: task, endingBefore: clock.now()) {
            try table.markDelivering(due.id, task: task)
            let rows = try DeliveredRows(table.scan(due.id, after: due.after, through: due.through))
            delivered[task, default: [:]][due.id.window, default: .init()].merge(rows)
            try checkDelivered(delivered[task]![due.id.window]!, due)
            if completes { try table.markDelivered(due.id, task: task, through: due.through) }
        }
    }

    // MARK: - What is seen

    var droppedThrough: Int64 { core.lock.reading { core.droppedThrough } }

    /// What is dropped is the store's decision; `checkDrops` holds it to the rules, the model follows.
    /// A drop has failed half-way: its mark is set and not durable, and some of what it drops is still there. All of it is expired.
    var isDropUnderWay: Bool { droppedThrough > memory.droppedThrough }

    private func noteDrops() {
        (memory.droppedThrough, memory.model.droppedThrough) = (droppedThrough, droppedThrough)
        noteRecords()
    }

    private func noteRecords() {
        memory.records = core.lock.reading { core.partitions.mapValues(\.record) }
    }
}
