import Ingest
import Telemetry
import TelemetryStore

/// Tells why the gateway is not ready to take readings and answer for them. Quick; any thread.
struct Health: Sendable {
    let store: TelemetryStore
    let maintenance: MaintenanceService
    let ingest: MQTTIngest?

    /// Empty: it is ready.
    var reasons: [String] {
        var reasons: [String] = []
        if let problem = store.clockProblem { reasons.append("nothing is committed: \(problem)") }
        if let problem = maintenance.problem { reasons.append("maintenance: \(problem)") }
        if let statistics = ingest?.statistics, !statistics.isConnected {
            let cause = statistics.lastError.map { ": \($0)" } ?? ""
            reasons.append("not connected to the broker at \(statistics.awayBrokers.joined(separator: ", "))\(cause)")
        }
        for filter in ingest?.statistics.refusedFilters ?? [] { reasons.append("the broker refuses the subscription to \(filter)") }
        return reasons
    }
}
