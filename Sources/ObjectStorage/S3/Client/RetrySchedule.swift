/// When a request is tried again: exponential pauses with full jitter, within a budget of attempts and of time.
struct RetrySchedule {
    private let budget: S3RetryBudget
    private let deadline: ContinuousClock.Instant
    private var failures = 0

    init(_ budget: S3RetryBudget, now: ContinuousClock.Instant = .now) {
        self.budget = budget
        deadline = now + budget.duration
    }

    /// How long to wait before the next try; nil when the budget is used up.
    /// - Parameter retryAfter: what the server asked for. If that is later than the budget allows, it is used up.
    mutating func pause(
        retryAfter: Duration? = nil, now: ContinuousClock.Instant = .now, random: Double = .random(in: 0...1)
    ) -> Duration? {
        failures += 1
        guard failures < budget.attempts else { return nil }
        // Beyond 2³⁰ every first pause is above every greatest one.
        let ceiling = min(budget.greatestPause, budget.firstPause * (1 << min(failures - 1, 30)))
        let pause = max(ceiling * random, retryAfter ?? .zero)
        return now + pause > deadline ? nil : pause
    }
}
