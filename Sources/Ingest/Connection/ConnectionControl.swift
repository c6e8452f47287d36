import Synchronization
import Telemetry

/// What a connection's thread and its owner tell each other.
final class ConnectionControl: Sendable {
    let stop: Signal
    /// The thread sits in the library's blocking connect, with nothing in hand: it need not be waited for.
    let isConnecting = Atomic<Bool>(false)
    /// Settings that differ in nothing but subscriptions, or retire the connection; taken over between two batches.
    let nextSettings = Guarded<ConnectionSettings?>(nil)

    /// What the broker said of the filters that the connection wants; nil while it has not said so of each.
    let answers = Guarded<FilterAnswers?>(nil)
    /// The same of every connection of the same broker; nil while one of them is not answered: what this one gives up is not in other
    /// hands yet.
    let answersOfAll: @Sendable () -> FilterAnswers?

    init(stop: Signal, answersOfAll: @escaping @Sendable () -> FilterAnswers?) {
        self.stop = stop
        self.answersOfAll = answersOfAll
    }

    /// The connection has settings to take over: it is not subscribed to all that is wanted.
    func setNext(_ settings: ConnectionSettings) {
        nextSettings.withLock { next in
            next = settings
            answers.value = nil
        }
        stop.wake()
    }

    /// The broker has answered everything, unless other settings have come meanwhile.
    func setAnswers(_ all: FilterAnswers) {
        nextSettings.withLock { next in
            if next == nil { answers.value = all }
        }
    }
}

/// Filters that a broker was asked for, as subscribed, and what it said.
struct FilterAnswers: Sendable, Equatable {
    var granted: [String] = []
    var refused: [String] = []

    /// Whether a filter that is no longer wanted still is the only one to bring what a refused one should.
    func needs(_ obsolete: String) -> Bool {
        refused.contains { TopicFilter.covers($0, obsolete) } && !granted.contains { TopicFilter.covers($0, obsolete) }
    }

    static func += (all: inout Self, more: Self) {
        all.granted += more.granted
        all.refused += more.refused
    }
}
