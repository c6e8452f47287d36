import Ingest
import QueryAPI
import Telemetry
import TelemetryStore

/// Tells why the gateway is not ready to take readings and answer for them. Quick; any thread.
struct Health: Sendable {
    let store: TelemetryStore
    let maintenance: MaintenanceService
    let ingest: MQTTIngest?

    /// Empty: it is ready.
    var unreadiness: [Unreadiness] {
        var unready: [Unreadiness] = []
        func note(_ part: String, _ reason: String) { unready.append(Unreadiness(part: part, reason: reason)) }
        if let problem = store.clockProblem { note("store", "nothing is committed: \(problem)") }
        if let problem = store.diskProblem { note("store", "nothing is committed: \(problem)") }
        if let problem = maintenance.problem { note("store", "maintenance: \(problem)") }
        if let statistics = ingest?.statistics, !statistics.isConnected {
            let cause = statistics.lastError.map { ": \($0)" } ?? ""
            note("mqtt", "not connected to the broker at \(statistics.awayBrokers.joined(separator: ", "))\(cause)")
        }
        for filter in ingest?.statistics.refusedFilters ?? [] { note("mqtt", "the broker refuses the subscription to \(filter)") }
        return unready
    }
}
