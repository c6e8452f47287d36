import Logging
import Synchronization
import Telemetry
import TelemetryStore

/// Takes messages from MQTT brokers into the store; acks each after its readings are on disk.
package final class MQTTIngest: Sendable {
    /// A subscription that cannot work.
    package struct InvalidSubscription: Error, Sendable, CustomStringConvertible {
        package let filter: String
        package let description: String
    }

    private struct Connection {
        var settings: ConnectionSettings
        let control: ConnectionControl
        let thread: NamedThread
    }

    private struct State {
        var brokers: [MQTTBroker]
        var wanted: [ConnectionSettings] { brokers.flatMap(ConnectionSettings.all) }
        var connections: [Connection] = []
        var isStarted = false
        var isStopped = false
    }

    private let path: CommitPath
    private let deadLetters: DeadLetterFile
    private let logger: Logger
    private let onFatal: @Sendable (StoreError) -> Void
    private let counters: BrokerCounters
    private let state: Mutex<State>

    /// - Parameter onFatal: called once per connection, on its thread, when the store has failed for good: the process must exit.
    package init(
        brokers: [MQTTBroker], path: CommitPath, deadLetters: DeadLetterFile, logger: Logger,
        onFatal: @escaping @Sendable (StoreError) -> Void
    ) throws(InvalidSubscription) {
        try Self.check(brokers, path)
        state = Mutex(State(brokers: brokers))
        counters = BrokerCounters(clock: path.clock)
        self.path = path
        self.deadLetters = deadLetters
        self.logger = logger
        self.onFatal = onFatal
    }

    package var statistics: IngestStatistics { counters.snapshot(state.withLock { $0.wanted }) }

    /// Starts a thread for each connection, which tries until `stop`; and one for each session that earlier configurations had.
    package func start() {
        state.withLock { state in
            guard !state.isStarted, !state.isStopped else { return }
            state.isStarted = true
            for settings in state.wanted { launch(settings, &state) }
            retireObsoleteSessions(&state)
        }
    }

    /// Takes other brokers and subscriptions; no message is lost, and none is decided upon by halves of both configurations.
    ///
    /// A connection whose broker and options stay takes its subscriptions over between two batches. Others commit and ack what they have
    /// in hand and are closed, sessions that nobody has any more are drained and ended, and new ones begin.
    /// - Throws: a subscription that cannot work; then nothing has changed.
    package func reload(_ brokers: [MQTTBroker]) throws(InvalidSubscription) {
        try Self.check(brokers, path)
        let leaving = state.withLock { state -> [Connection] in
            state.brokers = brokers
            guard state.isStarted, !state.isStopped else { return [] }
            return takeOver(state.wanted, &state)
        }
        Self.join(leaving)
        state.withLock { state in
            guard state.isStarted, !state.isStopped else { return }
            let running = Set(state.connections.map(\.settings.clientID))
            for settings in state.wanted where !running.contains(settings.clientID) { launch(settings, &state) }
            retireObsoleteSessions(&state)
        }
    }

    /// Blocks until every connection has committed and acked what it had in hand, and is closed.
    package func stop() {
        let connections = state.withLock { state in
            state.isStopped = true
            return state.connections
        }
        Self.join(connections)
    }

    private static func check(_ brokers: [MQTTBroker], _ path: CommitPath) throws(InvalidSubscription) {
        for broker in brokers {
            for subscription in broker.subscriptions { _ = try TopicRoute(subscription, path: path) }
        }
    }

    /// - Returns: the connections that must go.
    private func takeOver(_ wanted: [ConnectionSettings], _ state: inout State) -> [Connection] {
        var (staying, leaving): ([Connection], [Connection]) = ([], [])
        for var connection in state.connections where !connection.thread.isFinished {
            if let next = wanted.first(where: { $0.clientID == connection.settings.clientID }), connection.settings.accepts(next) {
                if next != connection.settings { connection.control.setNext(next) }
                connection.settings = next
                staying.append(connection)
            } else {
                leaving.append(connection)
            }
        }
        state.connections = staying
        return leaving
    }

    /// Sessions of brokers that are still configured, under client ids that no connection has any more.
    private func retireObsoleteSessions(_ state: inout State) {
        let known = Set((state.connections.map(\.settings) + state.wanted).map(\.clientID))
        for source in path.noteSources(SessionNote.sourcePrefix) {
            let clientID = String(source.dropFirst(SessionNote.sourcePrefix.count))
            guard !known.contains(clientID), let note = path.note(source).flatMap(SessionNote.init) else { continue }
            guard let settings = ConnectionSettings.retiring(clientID, note, among: state.brokers) else {
                logger.warning(
                    "mqtt: the session \(clientID) at \(note.host):\(note.port) is left to itself: no [[mqtt]] names that broker any more")
                continue
            }
            launch(settings, &state)
        }
    }

    private func launch(_ settings: ConnectionSettings, _ state: inout State) {
        let broker = settings.broker
        let control = ConnectionControl(stop: Signal()) { [weak self] in self?.answers(at: broker) }
        do throws(NamedThread.StartFailure) {
            let thread = try NamedThread(name: settings.threadName) { [self] in run(settings, control) }
            state.connections.append(Connection(settings: settings, control: control, thread: thread))
        } catch {
            counters[settings.broker].setLastError(error.description)
            logger.critical("mqtt: \(error.description)")
        }
    }

    /// Of all connections that the configuration wants of a broker; nil while one of them has not got all its answers.
    private func answers(at broker: String) -> FilterAnswers? {
        state.withLock { state in
            var all = FilterAnswers()
            for settings in state.wanted where settings.broker == broker {
                let connection = state.connections.first { !$0.settings.isRetiring && $0.settings.clientID == settings.clientID }
                guard let answers = connection?.control.answers.value else { return nil }
                all += answers
            }
            return all
        }
    }

    private func run(_ settings: ConnectionSettings, _ control: ConnectionControl) {
        do throws(InvalidSubscription) {
            var loop = ConnectionLoop(
                settings: settings, routes: try settings.routes(path), path: path, deadLetters: deadLetters,
                counters: counters[settings.broker],
                control: control, logger: logger)
            if let failure = loop.run() { onFatal(failure) }
        } catch {
            preconditionFailure("checked before: \(error)")
        }
    }

    private static func join(_ connections: [Connection]) {
        for connection in connections { connection.control.stop.set() }
        for connection in connections {
            // A thread in the kernel's connect has nothing in hand and cannot be woken.
            while !connection.thread.join(for: .milliseconds(500)) {
                if connection.control.isConnecting.load(ordering: .acquiring) { break }
            }
        }
    }
}

extension ConnectionSettings {
    /// Whether a running connection can take `next` over: all but the subscriptions is the same.
    fileprivate func accepts(_ next: ConnectionSettings) -> Bool {
        var other = next
        other.subscriptions = subscriptions
        other.options.connections = options.connections
        return other == self
    }
}
