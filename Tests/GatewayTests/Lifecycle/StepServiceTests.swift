import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import Gateway

@Suite struct StepServiceTests {
    private struct Broken: Error {}

    @Test(.timeLimit(.minutes(1))) func stepsAreTakenUntilItIsAskedToStop() async throws {
        let steps = Counter()
        let service = steps.service(pause: .milliseconds(1))
        let group = ServiceGroup(services: [service], logger: Logger(label: "test"))
        async let running: Void = group.run()
        while steps.value.load(ordering: .relaxed) < 3 { await Task.yield() }
        await group.triggerGracefulShutdown()
        try await running
    }

    @Test(.timeLimit(.minutes(1))) func aLongWaitEndsAtOnceWhenItIsAskedToStop() async throws {
        let steps = Counter()
        let service = steps.service(pause: .seconds(3_600))
        let group = ServiceGroup(services: [service], logger: Logger(label: "test"))
        async let running: Void = group.run()
        while steps.value.load(ordering: .relaxed) < 1 { await Task.yield() }
        await group.triggerGracefulShutdown()
        try await running
        #expect(steps.value.load(ordering: .relaxed) == 1)
    }

    @Test(.timeLimit(.minutes(1))) func aStepThatFailsEndsTheService() async {
        let service = StepService(name: "test") { throw Broken() }
        await #expect(throws: Broken.self) { try await service.run() }
    }

    private final class Counter: Sendable {
        let value = Atomic<Int>(0)

        func service(pause: Duration) -> StepService {
            StepService(name: "test") { [self] in
                value.wrappingAdd(1, ordering: .relaxed)
                return pause
            }
        }
    }
}
