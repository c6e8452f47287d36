import Synchronization

/// Memory for the bodies of all requests together: each is bounded by itself, and a thousand of them by this.
///
/// A body counts while it comes in and until its request is answered. Any thread; nothing waits.
final class BodyBudget: Sendable {
    /// What a connection may cost anyway: bodies no longer than this are never refused, and touch nothing that is shared.
    static let freeByteCount = 32 << 10

    /// What one request holds of it. For one task.
    final class Share: Sendable {
        private let budget: BodyBudget
        private let held = Atomic<Int>(0)

        fileprivate init(of budget: BodyBudget) { self.budget = budget }

        /// - Parameter byteCount: of the body so far.
        /// - Throws: 503; what was held stays so until it is given back.
        func cover(_ byteCount: Int) throws(Problem) {
            let before = held.load(ordering: .relaxed)
            let more = byteCount - BodyBudget.freeByteCount - before
            guard more > 0 else { return }
            try budget.take(more)
            held.store(before + more, ordering: .relaxed)
        }

        func giveBack() {
            let count = held.exchange(0, ordering: .relaxed)
            if count > 0 { budget.inUse.wrappingSubtract(count, ordering: .relaxed) }
        }
    }

    private let limit: Int
    private let inUse = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)

    /// - Parameter limit: bytes, beyond the free ones of each body.
    init(limit: Int) { self.limit = limit }

    /// Of a new request; holds nothing yet.
    func share() -> Share { Share(of: self) }

    private func take(_ count: Int) throws(Problem) {
        guard inUse.wrappingAdd(count, ordering: .relaxed).newValue > limit else { return }
        inUse.wrappingSubtract(count, ordering: .relaxed)
        refused.wrappingAdd(1, ordering: .relaxed)
        throw .unavailable("overloaded", "The bodies of other requests fill the memory that there is for them.")
    }

    func write(to text: inout PrometheusText) {
        text.single(
            "gaugehouse_http_body_bytes", .gauge, "Memory that long request bodies hold now.", inUse.load(ordering: .relaxed))
        text.single(
            "gaugehouse_http_bodies_refused_total", .counter, "Requests refused because the bodies of others filled the memory for them.",
            refused.load(ordering: .relaxed))
    }
}
