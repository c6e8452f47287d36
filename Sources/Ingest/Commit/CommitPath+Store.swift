import Logging
import Telemetry
import TelemetryStore

extension CommitPath {
    package init(_ store: TelemetryStore, clock: any WallClock = SystemClock()) {
        self.init(
            assignMissingTimes: { store.assignMissingTimes(&$0) },
            commit: { (batch, notes) throws(StoreError) in try store.commit(&batch, notes: notes) },
            note: { store.note(from: $0) }, noteSources: { store.noteSources(prefix: $0) },
            tables: store.tables.map { ($0.name, $0.number) }, clock: clock)
        limits = { store.limits(of: $0) }
        state = { number, device in
            guard let table = store.tables.first(where: { $0.number == number }) else { return nil }
            let name = ReservedField.state.description
            guard let latest = table.latest(device: device, fields: [name]) else { return nil }
            return latest.entries.first?.cell.value(in: latest.bytes)
        }
        awaitMemory = { () throws(StoreError) in try store.awaitMemory() }
    }
}

extension MQTTIngest {
    /// - Parameter onFatal: see the designated initializer; `TelemetryStore.failure` tells the same.
    package convenience init(
        brokers: [MQTTBroker], store: TelemetryStore, clock: any WallClock = SystemClock(), deadLetters: DeadLetterFile, logger: Logger,
        onFatal: @escaping @Sendable (StoreError) -> Void = { _ in }
    ) throws(InvalidSubscription) {
        try self.init(
            brokers: brokers, path: CommitPath(store, clock: clock), deadLetters: deadLetters, logger: logger, onFatal: onFatal)
    }
}
