import Telemetry
import TelemetryStore

extension GatewayConfiguration {
    /// Why the table named would not take the reading at `now`; nil: it would. The store itself decides by the same rule.
    package func refusal(of reading: Reading, table name: String, now: Timestamp) -> String? {
        guard let time = reading.time, let table = tables.first(where: { $0.name == name }) else { return nil }
        if time < now - table.ttl { return "late: \(time.rfc3339) is older than ttl = \"\(table.ttl.text)\"" }
        guard time > now + table.maxFuture else { return nil }
        return "future: \(time.rfc3339) is further ahead than max_future = \"\(table.maxFuture.text)\""
    }
}
