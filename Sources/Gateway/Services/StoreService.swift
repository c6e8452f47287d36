import ServiceLifecycle
import TelemetryStore

/// Closes the store when everyone else has stopped.
struct StoreService: Service {
    let store: TelemetryStore

    func run() async throws {
        await untilAskedToStop()
        do {
            try await onThread(named: "store-close") { try store.close() }
        } catch let error as StoreError {
            throw GatewayError("cannot close the store \(store.options.path)", error)
        }
    }
}

/// Returns when the service shall stop, whether it is asked to or cancelled.
func untilAskedToStop() async {
    do { try await gracefulShutdown() } catch {}
}
