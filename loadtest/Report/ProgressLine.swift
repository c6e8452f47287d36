import Glibc
import Synchronization

/// One line on the terminal, rewritten each second.
struct ProgressLine {
    private static let intervalNanoseconds: UInt64 = 1_000_000_000

    private let start: UInt64
    private let plan: Plan
    private var last: (time: UInt64, sent: Int)

    init(start: UInt64, plan: Plan) {
        self.start = start
        self.plan = plan
        last = (start, 0)
    }

    mutating func update(_ counters: LoadCounters, now: UInt64) {
        guard now > last.time + Self.intervalNanoseconds else { return }
        let sent = counters.sent.load(ordering: .relaxed)
        let rate = Double(sent - last.sent) * 1e9 / Double(now - last.time)
        last = (now, sent)
        let acknowledged = counters.acknowledged.load(ordering: .relaxed)
        var line = Text.decimal(Double(now - start) / 1e9, digits: 0)
        if let total = plan.totalNanoseconds { line += " of \(Text.decimal(Double(total) / 1e9, digits: 0))" }
        line +=
            " s  sent \(sent)" + (acknowledged > 0 ? "  acked \(acknowledged)  in flight \(max(0, sent - acknowledged))" : "")
            + "  \(Text.decimal(rate, digits: 0)) msg/s"
        if !plan.measured.contains(now - start) { line += " (ramp)" }
        line += "  overrun \(counters.overrun.load(ordering: .relaxed))"
        let reconnects = counters.reconnects.load(ordering: .relaxed)
        if reconnects > 0 { line += "  reconnects \(reconnects)" }
        StandardError.write("\r\(line)\u{1B}[K")
    }

    func clear() { StandardError.write("\r\u{1B}[K") }
}

enum StandardError {
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    static func write(_ text: String) {
        // A closed standard error must not stop a run.
        text.withCString { _ = Glibc.write(STDERR_FILENO, $0, strlen($0)) }
    }
}
