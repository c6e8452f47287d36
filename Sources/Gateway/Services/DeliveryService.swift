import Delivery
import ServiceLifecycle

/// Gives a delivery a thread of its own: a destination that is slow or away holds up nothing else.
struct DeliveryService: Service {
    let task: DeliveryTask

    /// Between two looks for what is due.
    private static let pause = Duration.seconds(1)

    func run() async throws {
        let task = task
        // Thread names end after 15 bytes.
        let name = String("d-\(task.options.name)".prefix(15))
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await StepService(name: name) {
                task.runOnce()
                return Self.pause
            }.run()
        } onCancelOrGracefulShutdown: {
            task.requestStop()
        }
    }
}
