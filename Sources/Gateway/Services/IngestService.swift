import Ingest
import ServiceLifecycle
import Synchronization

/// Holds the MQTT connections from start to stop; a broker that is away is tried again for ever.
///
/// They start when `start` is called, which is when the HTTP server listens: a gateway that cannot run, because another does already, must
/// not throw that one out of its session at the broker on the way.
final class IngestService: Service {
    private enum Phase { case waiting, started, stopped }

    private let ingest: MQTTIngest
    private let phase = Mutex(Phase.waiting)

    init(ingest: MQTTIngest) { self.ingest = ingest }

    func start() {
        phase.withLock { phase in
            guard phase == .waiting else { return }
            phase = .started
            ingest.start()
        }
    }

    func run() async throws {
        await untilAskedToStop()
        phase.withLock { $0 = .stopped }
        try await onThread(named: "mqtt-stop") { [ingest] in ingest.stop() }
    }
}
