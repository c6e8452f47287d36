import Logging
import Telemetry
import TelemetryStore

extension CommitPath {
    package init(_ store: TelemetryStore) {
        self.init(
            assignMissingTimes: { store.assignMissingTimes(&$0) },
            commit: { (batch, note) throws(StoreError) in try store.commit(&batch, note: note) },
            note: { store.note(from: $0) },
            tableNumber: { store.table(named: $0)?.number })
    }
}

extension MQTTIngest {
    /// - Parameter onFatal: see the designated initializer; `TelemetryStore.failure` tells the same.
    package convenience init(
        options: MQTTOptions, subscriptions: [SubscriptionOptions], store: TelemetryStore, deadLetters: DeadLetterFile, logger: Logger,
        onFatal: @escaping @Sendable (StoreError) -> Void = { _ in }
    ) throws(InvalidSubscription) {
        try self.init(
            options: options, subscriptions: subscriptions, path: CommitPath(store), deadLetters: deadLetters, logger: logger,
            onFatal: onFatal)
    }
}
