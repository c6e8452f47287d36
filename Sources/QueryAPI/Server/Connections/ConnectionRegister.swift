import NIOCore
import Synchronization

/// The open connections of a server, at most so many. One more sends away the one that has been idle longest, so that a thousand silent
/// connections keep nobody out; only when all are at work is the new one turned away.
///
/// Any thread. A request costs an exchange and a store of an atomic, a connection a lock.
final class ConnectionRegister: Sendable {
    final class Entry: Sendable {
        fileprivate let channel: any Channel
        /// Uptime in nanoseconds; 0: a request is in hand; `sentAway`: it is being closed.
        private let idleSince = Atomic<UInt64>(NIODeadline.now().uptimeNanoseconds)
        private static let sentAway = UInt64.max

        fileprivate init(channel: any Channel) { self.channel = channel }

        /// - Returns: false: the connection is being closed, and the request must not be carried out: nobody would hear how it ended.
        func beginRequest() -> Bool {
            let seen = idleSince.load(ordering: .relaxed)
            guard seen != 0 else { return true }
            return seen != Self.sentAway && idleSince.compareExchange(expected: seen, desired: 0, ordering: .relaxed).exchanged
        }

        /// Only after `beginRequest` gave true.
        func endRequest() { idleSince.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed) }

        /// - Returns: when it became idle; nil: it is not.
        fileprivate func idleInstant() -> UInt64? {
            let seen = idleSince.load(ordering: .relaxed)
            return seen == 0 || seen == Self.sentAway ? nil : seen
        }

        /// - Returns: whether it was still idle since `instant`, and is now to be closed: a request that began meanwhile is not cut off.
        fileprivate func sendAway(idleSince instant: UInt64) -> Bool {
            idleSince.compareExchange(expected: instant, desired: Self.sentAway, ordering: .relaxed).exchanged
        }
    }

    private let limit: Int
    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])
    private let evicted = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// - Returns: nil: there is no room, the connection is to be closed.
    func admit(_ channel: any Channel) -> Entry? {
        let entry = Entry(channel: channel)
        let (isAdmitted, victim) = entries.withLock { entries -> (Bool, Entry?) in
            var victim: Entry?
            if entries.count >= limit {
                victim = Self.sendAwayLongestIdle(of: entries.values)
                guard let victim else { return (false, nil) }
                entries[ObjectIdentifier(victim)] = nil
            }
            entries[ObjectIdentifier(entry)] = entry
            return (true, victim)
        }
        if let victim {
            evicted.wrappingAdd(1, ordering: .relaxed)
            victim.channel.close(promise: nil)
        }
        guard isAdmitted else {
            refused.wrappingAdd(1, ordering: .relaxed)
            return nil
        }
        return entry
    }

    /// - Returns: the one that is to be closed; nil: all are at work.
    private static func sendAwayLongestIdle(of entries: some Collection<Entry>) -> Entry? {
        while true {
            // Each is read once: what is compared must not change under the comparison.
            let idle = entries.compactMap { entry in entry.idleInstant().map { (entry: entry, since: $0) } }
            guard let longest = idle.min(by: { $0.since < $1.since }) else { return nil }
            if longest.entry.sendAway(idleSince: longest.since) { return longest.entry }
        }
    }

    func remove(_ entry: Entry) { entries.withLock { $0[ObjectIdentifier(entry)] = nil } }

    func write(to text: inout PrometheusText) {
        text.single("gaugehouse_http_connections", .gauge, "Open connections.", entries.withLock { $0.count })
        text.single(
            "gaugehouse_http_connections_evicted_total", .counter, "Idle connections closed to make room for others.",
            evicted.load(ordering: .relaxed))
        text.single(
            "gaugehouse_http_connections_refused_total", .counter, "Connections turned away because all others were at work.",
            refused.load(ordering: .relaxed))
    }
}
