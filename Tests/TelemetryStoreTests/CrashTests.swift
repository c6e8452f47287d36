import Synchronization
import Telemetry
import Testing

@testable import TelemetryStore

@Suite("Power cuts and failing disks")
struct CrashTests {
    /// Tens of thousands of crashes: about 500 for each seed.
    @Test(
        "a crash at any file operation loses no acked reading, invents none, doubles none",
        arguments: Seeds.slices(from: 0, count: 40, of: 2))
    func crashes(seeds: Range<Int>) {
        let count = Atomic(0)
        Seeds.run(seeds) {
            ScriptGenerator.tour(seed: $0)
        } _: {
            count.wrappingAdd(try CrashPoints.run($0), ordering: .relaxed)
        }
        print("seeds \(seeds): \(count.load(ordering: .relaxed)) crashes")
    }

    @Test(
        "an operation that fails is never a false ack, whichever it is and however it fails", arguments: Fault.kinds,
        Seeds.slices(from: 0, count: 2, of: 1))
    func faults(kind: Fault.Kind, seeds: Range<Int>) {
        let count = Atomic(0)
        Seeds.run(seeds) {
            ScriptGenerator.tour(seed: $0)
        } _: {
            count.wrappingAdd(try SingleFaults.run($0, kind), ordering: .relaxed)
        }
        print("seeds \(seeds), \(kind): \(count.load(ordering: .relaxed)) calls")
    }
}
