import ServiceLifecycle
import Synchronization
import Telemetry
import TelemetryStore

/// The clients of the live tail: how many there may be, and who waits for what.
///
/// One ticker looks for news while somebody waits, so that committing costs nothing for being watched and a burst of commits wakes a
/// client once. A client that waits is a suspended task, no thread.
final class LiveClients: Service, Sendable {
    /// The longest that a reading waits to be seen: far below what a person notices, and few enough wake-ups for a small box.
    static let tick = Duration.milliseconds(20)

    /// What a client waits for, whichever comes first.
    struct Wish: Sendable {
        /// A commit behind this one, but not before `notBefore`.
        var newsBehind: SequenceNumber
        var notBefore: ContinuousClock.Instant
        var deadline: ContinuousClock.Instant
    }

    /// A client's place. It is given back when nobody holds it any more.
    final class Place: Sendable {
        fileprivate let number: Int
        private let clients: LiveClients

        fileprivate init(_ number: Int, of clients: LiveClients) {
            (self.number, self.clients) = (number, clients)
        }

        deinit { clients.leave(number) }

        /// Returns when the wish comes true, `end` is called, or the task is cancelled.
        func wait(_ wish: Wish) async { await clients.wait(number, wish) }

        /// Ends every wait, now and later.
        func end() { clients.end(number) }

        var isEnded: Bool { clients.state.withLock { $0.isOver || $0.ended.contains(number) } }

        func count(missed: Int) { clients.missed.wrappingAdd(missed, ordering: .relaxed) }
    }

    private struct State {
        var nextNumber = 0
        var clientCount = 0
        var waiting: [Int: (wish: Wish, continuation: CheckedContinuation<Void, Never>)] = [:]
        var ended: Set<Int> = []
        /// The ticker, while nobody waits.
        var idleTicker: CheckedContinuation<Void, Never>?
        var isOver = false
    }

    private let limit: Int
    private let newestEnd: @Sendable () -> SequenceNumber
    private let state = Guarded(State())
    private let missed = Atomic(0)
    private let refused = Atomic(0)

    /// - Parameter newestEnd: changes with every commit that clients may want to see; quick.
    init(limit: Int, newestEnd: @escaping @Sendable () -> SequenceNumber) {
        (self.limit, self.newestEnd) = (limit, newestEnd)
    }

    /// - Throws: 503 when all places are taken.
    func enter() throws(Problem) -> Place {
        let number: Int? = state.withLock { state in
            guard state.clientCount < limit else { return nil }
            state.clientCount += 1
            state.nextNumber += 1
            return state.nextNumber
        }
        guard let number else {
            refused.wrappingAdd(1, ordering: .relaxed)
            throw .unavailable("too-many-live-clients", "There are \(limit) live clients already.")
        }
        return Place(number, of: self)
    }

    func write(to text: inout PrometheusText) {
        text.single("gaugehouse_live_clients", .gauge, "Clients of the live tail.", state.withLock { $0.clientCount })
        text.single(
            "gaugehouse_live_clients_refused_total", .counter, "Live clients that were one too many.", refused.load(ordering: .relaxed))
        text.single(
            "gaugehouse_live_readings_missed_total", .counter, "Readings that live clients were told to have missed.",
            missed.load(ordering: .relaxed))
    }

    // MARK: - Waiting

    private func leave(_ number: Int) {
        state.withLock { state in
            state.clientCount -= 1
            state.ended.remove(number)
        }
    }

    private func wait(_ number: Int, _ wish: Wish) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ticker: CheckedContinuation<Void, Never>? = state.withLock { state in
                    guard !state.ended.contains(number), !state.isOver, !Task.isCancelled else {
                        continuation.resume()
                        return nil
                    }
                    state.waiting[number] = (wish, continuation)
                    return state.idleTicker.take()
                }
                ticker?.resume()
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.continuation.resume()
        }
    }

    private func end(_ number: Int) {
        let waiting = state.withLock { state in
            state.ended.insert(number)
            return state.waiting.removeValue(forKey: number)
        }
        waiting?.continuation.resume()
    }

    // MARK: - The ticker

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                await untilSomebodyWaits()
                // Cancelled: the loop's condition ends it.
                do { try await Task.sleep(for: Self.tick) } catch {}
                tick(now: .now)
            }
        }
        let left = state.withLock { state in
            state.isOver = true
            defer { state.waiting.removeAll() }
            return state.waiting.values.map(\.continuation)
        }
        for continuation in left { continuation.resume() }
    }

    private func untilSomebodyWaits() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    guard state.waiting.isEmpty, !Task.isCancelled else { return continuation.resume() }
                    state.idleTicker = continuation
                }
            }
        } onCancel: {
            state.withLock { $0.idleTicker.take() }?.resume()
        }
    }

    private func tick(now: ContinuousClock.Instant) {
        let end = newestEnd()
        let awake = state.withLock { state in
            let due = state.waiting.filter { _, waiter in
                now >= waiter.wish.deadline || (end > waiter.wish.newsBehind + 1 && now >= waiter.wish.notBefore)
            }
            for number in due.keys { state.waiting.removeValue(forKey: number) }
            return due.values.map(\.continuation)
        }
        for continuation in awake { continuation.resume() }
    }
}
