import NIOCore
import Synchronization

/// The open connections of a server, at most so many. One more sends away the one that has been idle longest, so that a thousand silent
/// connections keep nobody out; only when all are at work is the new one turned away.
///
/// Any thread. A request costs two stores to an atomic, a connection a lock.
final class ConnectionRegister: Sendable {
    final class Entry: Sendable {
        fileprivate let channel: any Channel
        /// Uptime in nanoseconds; 0: a request is in hand.
        fileprivate let idleSince = Atomic<UInt64>(NIODeadline.now().uptimeNanoseconds)

        fileprivate init(channel: any Channel) { self.channel = channel }

        func beginRequest() { idleSince.store(0, ordering: .relaxed) }
        func endRequest() { idleSince.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed) }
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
                victim = entries.values.filter { $0.idleSince.load(ordering: .relaxed) != 0 }
                    .min { $0.idleSince.load(ordering: .relaxed) < $1.idleSince.load(ordering: .relaxed) }
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
