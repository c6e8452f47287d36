import Telemetry

/// The times at which a query is evaluated: `start`, `start + step`… up to `end`.
struct StepTimes: Equatable, Sendable {
    /// Of one answer, as in Prometheus.
    static let limit = 11_000

    let start: Timestamp
    let step: TimeSpan
    let count: Int

    /// - Parameter step: positive.
    init(start: Timestamp, end: Timestamp, step: TimeSpan) throws(PrometheusError) {
        guard start <= end else { throw .parameter("end", "end timestamp must not be before start time") }
        let count = (end - start).microseconds / step.microseconds
        guard count < Int64(Self.limit) else {
            throw PrometheusError(
                .unsupported, "exceeded maximum resolution of \(Self.limit) points per series; take a longer step or less time")
        }
        (self.start, self.step, self.count) = (start, step, Int(count) + 1)
    }

    /// One time only.
    init(at time: Timestamp) { (start, step, count) = (time, .seconds(1), 1) }

    subscript(index: Int) -> Timestamp { Timestamp(microseconds: start.microseconds + Int64(index) * step.microseconds) }

    var last: Timestamp { self[count - 1] }
}
