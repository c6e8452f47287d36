/// Waiting times between attempts: doubling, with jitter, so that gateways do not come back in step.
struct BackOff {
    private static let shortest: Duration = .milliseconds(200)
    /// Long enough to spare a broker in trouble, short enough that nobody waits for the gateway afterwards.
    private static let longest: Duration = .seconds(30)

    private var next = shortest

    /// Half to all of the step's time.
    mutating func delay() -> Duration {
        defer { next = min(next * 2, Self.longest) }
        return next * Double.random(in: 0.5...1)
    }

    mutating func reset() { next = Self.shortest }
}
