import Delivery
import ServiceLifecycle

/// The deliveries as a service: each task has a thread of its own.
struct DeliveryService: Service {
    let deliveries: Deliveries

    func run() async throws {
        let deliveries = deliveries
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await onThread(named: "deliveries") { deliveries.run() }
        } onCancelOrGracefulShutdown: {
            deliveries.stop()
        }
    }
}
