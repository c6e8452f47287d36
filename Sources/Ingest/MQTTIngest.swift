import Logging
import Synchronization
import Telemetry
import TelemetryStore

/// Takes messages from an MQTT broker into the store; acks each after its readings are on disk.
package final class MQTTIngest: Sendable {
    /// A subscription that cannot work.
    package struct InvalidSubscription: Error, Sendable, CustomStringConvertible {
        package let filter: String
        package let description: String
    }

    private let settings: [ConnectionSettings]
    private let path: CommitPath
    private let deadLetters: DeadLetterFile
    private let logger: Logger
    private let onFatal: @Sendable (StoreError) -> Void
    private let counters = IngestCounters()
    private let stopSignal = Signal()
    private let threads = Mutex<[(control: ConnectionControl, thread: NamedThread)]>([])

    /// - Parameter onFatal: called once per connection, on its thread, when the store has failed for good: the process must exit.
    package init(
        options: MQTTOptions, subscriptions: [SubscriptionOptions], path: CommitPath, deadLetters: DeadLetterFile, logger: Logger,
        onFatal: @escaping @Sendable (StoreError) -> Void
    ) throws(InvalidSubscription) {
        var resolved: [(options: SubscriptionOptions, table: TableNumber)] = []
        for subscription in subscriptions {
            guard let table = path.tableNumber(subscription.table) else {
                throw InvalidSubscription(filter: subscription.filter, description: "there is no table \"\(subscription.table)\"")
            }
            guard (0...1).contains(subscription.qos) else {
                throw InvalidSubscription(
                    filter: subscription.filter,
                    description: "qos is \(subscription.qos), must be 0 or 1: at 2 the broker lets go of messages before they are on disk")
            }
            do throws(TopicTemplate.Invalid) {
                _ = try TopicRoute(subscription, table: table)
            } catch {
                throw InvalidSubscription(filter: subscription.filter, description: error.description)
            }
            resolved.append((subscription, table))
        }
        settings = (1...max(options.connections, 1)).map {
            ConnectionSettings(options: options, number: $0, subscriptions: resolved)
        }
        self.path = path
        self.deadLetters = deadLetters
        self.logger = logger
        self.onFatal = onFatal
    }

    package var statistics: IngestStatistics { counters.snapshot(connections: settings.count) }

    /// Starts a thread for each connection, which tries until `stop`.
    package func start() {
        threads.withLock { threads in
            guard threads.isEmpty, !stopSignal.isSet else { return }
            for settings in settings {
                let control = ConnectionControl(stop: stopSignal)
                do throws(NamedThread.StartFailure) {
                    threads.append((control, try NamedThread(name: settings.threadName) { [self] in run(settings, control) }))
                } catch {
                    counters.setLastError(error.description)
                    logger.critical("mqtt: \(error.description)")
                }
            }
        }
    }

    /// Blocks until every connection has committed and acked what it had in hand, and is closed.
    package func stop() {
        stopSignal.set()
        for (control, thread) in threads.withLock({ $0 }) {
            // A thread in the kernel's connect has nothing in hand and cannot be woken.
            while !thread.join(for: .milliseconds(500)) {
                if control.isConnecting.load(ordering: .acquiring) { break }
            }
        }
    }

    private func run(_ settings: ConnectionSettings, _ control: ConnectionControl) {
        do throws(TopicTemplate.Invalid) {
            var loop = ConnectionLoop(
                settings: settings, routes: try settings.routes(), path: path, deadLetters: deadLetters, counters: counters,
                control: control, logger: logger)
            if let failure = loop.run() { onFatal(failure) }
        } catch {
            preconditionFailure("checked by init: \(error)")
        }
    }
}
