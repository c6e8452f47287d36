import Foundation
import ServiceLifecycle
import Synchronization

/// A named thread that takes a step of blocking work, waits, and takes the next, as a service.
///
/// Asked to stop, it finishes the step in hand. A step that throws ends the service, and with it the gateway.
struct StepService: Service {
    /// At most 15 bytes, for `top -H`.
    let name: String
    /// Returns how long to wait before the next.
    let step: @Sendable () throws -> Duration

    func run() async throws {
        let stop = StopSignal()
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await onThread(named: name) {
                repeat {} while !stop.wait(try step())
            }
        } onCancelOrGracefulShutdown: {
            stop.set()
        }
    }
}

/// Runs blocking work on a thread of its own and waits for it without holding one of the cooperative pool's.
func onThread<Value: Sendable>(named name: String, _ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result { try work() }) }
        thread.name = name
        thread.start()
    }
}

/// Wakes a thread that waits between two steps.
final class StopSignal: @unchecked Sendable {
    // Guards `isSet`; NSCondition is thread-safe by its documentation.
    private let condition = NSCondition()
    private var isSet = false

    func set() {
        condition.lock()
        isSet = true
        condition.broadcast()
        condition.unlock()
    }

    /// True as soon as it is set, false when `interval` has passed.
    func wait(_ interval: Duration) -> Bool {
        let end = Date(timeIntervalSinceNow: interval / .seconds(1))
        condition.lock()
        defer { condition.unlock() }
        while !isSet, condition.wait(until: end) {}
        return isSet
    }
}
