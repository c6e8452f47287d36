import Logging
import Synchronization
import Telemetry

/// Who did what that is the operator's business, a line each: `audit: WHO: WHAT: OUTCOME`.
package final class AuditLog: Sendable {
    private struct Refusals {
        var windowStart: TimeSpan?
        /// In the window that began then.
        var logged = 0
        var suppressed = 0
    }

    /// Anyone can be refused a million times: of a minute, so many are told.
    private static let refusalsPerWindow = 10
    private static let window = TimeSpan.minutes(1)

    private let logger: Logger?
    private let clock: any WallClock
    private let refusals = Mutex(Refusals())

    /// - Parameter logger: nil: nothing is logged.
    package init(logger: Logger?, clock: any WallClock = SystemClock()) {
        self.logger = logger
        self.clock = clock
    }

    /// - Parameters: texts of the program's own, or quoted: a stranger's could end the line.
    package func record(_ who: String, _ what: String, _ outcome: String) { logger?.notice("audit: \(who): \(what): \(outcome)") }

    /// A request that was refused for who sent it. Beyond a rate they are only counted.
    package func recordRefusal(_ who: String, _ what: String, _ outcome: String) {
        let now = clock.uptime()
        let (isLogged, suppressed) = refusals.withLock { refusals -> (Bool, Int) in
            var before = 0
            if refusals.windowStart.map({ now.microseconds - $0.microseconds >= Self.window.microseconds }) ?? true {
                before = refusals.suppressed
                refusals = Refusals(windowStart: now)
            }
            guard refusals.logged < Self.refusalsPerWindow else {
                refusals.suppressed += 1
                return (false, before)
            }
            refusals.logged += 1
            return (true, before)
        }
        if suppressed > 0 { logger?.notice("audit: \(suppressed) further refusals were not told") }
        if isLogged { record(who, what, outcome) }
    }
}
