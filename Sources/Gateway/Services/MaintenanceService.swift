import Ingest
import Logging
import ServiceLifecycle
import Synchronization
import Telemetry
import TelemetryStore

/// Keeps the store in shape from a thread of its own, and tells the service manager that it gets on.
final class MaintenanceService: Service {
    private let store: TelemetryStore
    private let ingest: MQTTIngest?
    private let notify: NotifySocket
    private let logger: Logger
    private let pause: TimeSpan
    private let complaint = Mutex<String?>(nil)
    private let status: Mutex<StatusLine>

    /// After an error, so that a full disk is not asked a thousand times a second.
    private static let errorPause = Duration.seconds(1)

    init(store: TelemetryStore, ingest: MQTTIngest?, notify: NotifySocket, logger: Logger) {
        self.store = store
        self.ingest = ingest
        self.notify = notify
        self.logger = logger
        pause = Self.pause(for: store.tables.map(\.options))
        status = Mutex(StatusLine(hasMQTT: ingest != nil))
    }

    /// A second, or a tenth of the shortest window, so that tables of seconds are sealed and dropped in time.
    private static func pause(for tables: [TableOptions]) -> TimeSpan {
        let shortest = tables.map { min($0.partitionLength, $0.ttl) }.min() ?? .hours(1)
        return TimeSpan(microseconds: max(50_000, min(1_000_000, shortest.microseconds / 10)))
    }

    /// What keeps it from its work; nil: nothing does.
    var problem: String? { complaint.withLock { $0 } }

    func run() async throws {
        try await StepService(name: "maintenance") { [self] in
            store.waitUntilMaintenanceNeeded(timeout: pause)
            return try step() ? .zero : Self.errorPause
        }.run()
    }

    /// - Returns: false when something could not be done and is to be tried again.
    /// - Throws: `GatewayError` when only a restart helps.
    private func step() throws -> Bool {
        if let failure = store.failure { throw GatewayError("the store has failed", failure) }
        // A step that fails is no standstill: on a full disk reads go on. One that hangs never comes here.
        defer { notify.watchdog() }
        do throws(StoreError) {
            try store.performMaintenance()
            note(nil)
        } catch {
            if error.code == .fatal { throw GatewayError("the store has failed", error) }
            note(error.description)
            return false
        }
        for change in store.takeTypeChanges() { logger.warning("\(Self.text(change))") }
        if let text = status.withLock({ $0.text(store: store, ingest: ingest?.statistics, now: .now) }) { notify.status(text) }
        return true
    }

    /// Device and field are a stranger's text: quoted, so that it stays one line.
    private static func text(_ change: TypeChange) -> String {
        "device \(change.device.debugDescription) in table \(change.table) changed the type of field \(change.field.debugDescription) "
            + "from \(change.before.name) to \(change.after.name) at \(change.time.rfc3339); both are kept, and this is said once"
    }

    /// Logs a problem when it begins and when it is over.
    private func note(_ text: String?) {
        let last = complaint.withLock { complaint in
            defer { complaint = text }
            return complaint
        }
        guard last != text else { return }
        if let text { logger.error("maintenance: \(text)") } else { logger.notice("maintenance goes on") }
    }
}

/// The line of `systemctl status`: `connected, 12300 readings/s, 41 partitions`.
private struct StatusLine {
    let hasMQTT: Bool
    private var last: (time: ContinuousClock.Instant, readings: Int)?
    private static let interval = Duration.seconds(5)

    init(hasMQTT: Bool) { self.hasMQTT = hasMQTT }

    /// Nil: it is not yet time for a new one.
    mutating func text(store: TelemetryStore, ingest: IngestStatistics?, now: ContinuousClock.Instant) -> String? {
        if let last, now - last.time < Self.interval { return nil }
        let readings = store.statistics.readings
        let rate = last.map { Double(readings - $0.readings) / ((now - $0.time) / .seconds(1)) } ?? 0
        last = (now, readings)
        let partitions = store.tables.reduce(0) { $0 + $1.partitions().count }
        let link = ingest.map { $0.isConnected ? "connected, " : "not connected to the broker, " } ?? ""
        return "\(link)\(Int(rate)) readings/s, \(partitions) partitions"
    }
}
