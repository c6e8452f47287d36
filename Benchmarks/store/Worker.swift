import Glibc
import Synchronization

/// A thread that blocks, e.g. a committer.
final class Worker: Sendable {
    private let handle: pthread_t
    private let outcome: Outcome

    private final class Outcome: Sendable {
        let error = Mutex<(any Error)?>(nil)
        let body: @Sendable () throws -> Void
        init(_ body: @escaping @Sendable () throws -> Void) { self.body = body }
    }

    init(_ body: @escaping @Sendable () throws -> Void) {
        let outcome = Outcome(body)
        var handle = pthread_t()
        let result = pthread_create(
            &handle, nil,
            { argument in
                let outcome = Unmanaged<Outcome>.fromOpaque(argument!).takeRetainedValue()
                do { try outcome.body() } catch { outcome.error.withLock { $0 = error } }
                return nil
            }, Unmanaged.passRetained(outcome).toOpaque())
        precondition(result == 0, "cannot start a thread: error \(result)")
        self.handle = handle
        self.outcome = outcome
    }

    /// - Throws: what the thread threw.
    func join() throws {
        pthread_join(handle, nil)
        if let error = outcome.error.withLock({ $0 }) { throw error }
    }
}

/// What makes a run worthless: the message is for people.
struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
