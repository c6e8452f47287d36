import Dialects
import Synchronization
import Telemetry

/// Tells of refused messages and readings: for each reason the first one at once, then at most a line every ten seconds, with the number
/// since the last line and a sample. Shared by the connections of an ingest.
final class RejectLog: Sendable {
    private struct Entry {
        var lastLine: TimeSpan?
        /// Since the last line.
        var count = 0
    }

    static let interval: TimeSpan = .seconds(10)
    /// Of a topic or detail that a stranger has chosen, characters shown.
    private static let excerptLength = 200

    private let clock: any WallClock
    private let entries = Mutex<[RejectReason: Entry]>([:])

    init(clock: any WallClock = SystemClock()) { self.clock = clock }

    /// - Parameters:
    ///   - counts: of one batch; not empty.
    ///   - letters: of the same batch; a line shows the first of its reason.
    /// - Returns: the lines to log.
    func lines(_ counts: [RejectReason: Int], letters: [DeadLetter]) -> [String] {
        let now = clock.uptime()
        return entries.withLock { entries in
            counts.keys.sorted { $0.rawValue < $1.rawValue }.compactMap { reason in
                var entry = entries[reason, default: Entry()]
                defer { entries[reason] = entry }
                entry.count += counts[reason, default: 0]
                if let last = entry.lastLine, now < last + Self.interval { return nil }
                defer { entry = Entry(lastLine: now) }
                let letter = letters.first { $0.rejection.reason == reason }
                return Self.line(reason, entry.count, since: entry.lastLine.map { now - $0 }, letter)
            }
        }
    }

    private static func line(_ reason: RejectReason, _ count: Int, since: TimeSpan?, _ letter: DeadLetter?) -> String {
        let span = since.map { " in \($0.microseconds / 1_000_000) s" } ?? ""
        let sample = letter.map { ", as \(excerpt(String(decoding: $0.topic, as: UTF8.self))): \(excerpt($0.rejection.detail))" } ?? ""
        return "refused \(count) \(count == 1 ? "message" : "messages or readings") (\(reason.rawValue))\(span)\(sample)"
    }

    /// One line of text, whatever the stranger sent.
    private static func excerpt(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars.prefix(excerptLength) {
            if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return text.unicodeScalars.count > excerptLength ? shown + "…" : shown
    }
}

extension TimeSpan {
    fileprivate static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan { TimeSpan(microseconds: a.microseconds + b.microseconds) }
    fileprivate static func - (a: TimeSpan, b: TimeSpan) -> TimeSpan { TimeSpan(microseconds: a.microseconds - b.microseconds) }
}
