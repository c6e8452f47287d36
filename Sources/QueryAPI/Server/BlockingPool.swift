import NIOPosix
import ServiceLifecycle
import Synchronization

/// Threads for calls that block, the store's above all: they never run on an event loop or the cooperative pool.
final class BlockingPool: Service, Sendable {
    private let pool: NIOThreadPool
    private let inHand = Atomic<Int>(0)
    private let queueLimit: Int

    /// - Parameter queueLimit: calls in hand, waiting ones included, beyond which a request is answered with 503.
    init(threadCount: Int, queueLimit: Int) {
        pool = NIOThreadPool(numberOfThreads: threadCount)
        self.queueLimit = queueLimit
    }

    /// Starts the threads; calls made before wait for ever.
    func start() { pool.start() }

    /// Calls waiting for a thread or holding one.
    var callsInHand: Int { inHand.load(ordering: .relaxed) }

    func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        defer { inHand.wrappingSubtract(1, ordering: .relaxed) }
        guard inHand.wrappingAdd(1, ordering: .relaxed).newValue <= queueLimit else {
            throw Problem.unavailable("overloaded", "Too many requests are waiting.")
        }
        return try await pool.runIfActive(work)
    }

    /// For what was begun: an answer that is half sent is not refused.
    func goOn<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        defer { inHand.wrappingSubtract(1, ordering: .relaxed) }
        inHand.wrappingAdd(1, ordering: .relaxed)
        return try await pool.runIfActive(work)
    }

    /// Ends the threads once the server, which is stopped before, has answered its last request.
    func run() async throws {
        // Cancelled instead of asked to stop: the threads must end all the same.
        do { try await gracefulShutdown() } catch is CancellationError {}
        try await pool.shutdownGracefully()
    }
}
