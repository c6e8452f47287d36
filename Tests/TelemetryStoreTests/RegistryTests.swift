import Telemetry
import Testing

@testable import TelemetryStore

/// The order of names for lists.
@Suite("Names in order")
struct RegistryTests {
    private static func add(_ names: some Sequence<String>, to registry: NameRegistry) {
        for name in names {
            registry.withNames { names in
                var name = name
                _ = name.withUTF8 { names.insertDevice(UnsafeRawBufferPointer($0), bucketCount: 1) }
            }
        }
    }

    private static func ordered(_ registry: NameRegistry) -> [String] {
        registry.updateSorted()
        return registry.readingNames { names in names.sorted.map { names.devices.string($0) } }
    }

    @Test("names are sorted on a copy, so that nobody who commits waits for it")
    func sortsBesideTheLock() throws {
        let registry = NameRegistry()
        let first = (0..<500).map { "device \($0 * 7_919 % 500)" }
        Self.add(first, to: registry)
        let copy = try #require(registry.readingNames { $0.copyForSorting() })
        // Devices that come meanwhile: enough of them that the names move in memory.
        let later = (0..<5_000).map { "a later one with a longer name \($0 * 7_919 % 5_000)" }
        Self.add(later, to: registry)
        let order = copy.devices.sorted(behind: copy.sorted)
        #expect(order.map { copy.devices.string($0) } == first.sorted())
        #expect(Self.ordered(registry) == (first + later).sorted())
        let isComplete = registry.readingNames { $0.copyForSorting() } == nil
        #expect(isComplete)
    }

    @Test("lists at once, while devices come, are sorted and hold all that came before them")
    func listsAtOnce() async throws {
        let registry = NameRegistry()
        let seed = UInt64.random(in: 0...UInt64.max)
        var state = seed
        let names = (0..<3_000).map { number in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return "\(state >> 40)-\(number)"
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { Self.add(names, to: registry) }
            for _ in 0..<3 {
                group.addTask {
                    for _ in 0..<50 {
                        let count = registry.deviceCount
                        let listed = Self.ordered(registry)
                        #expect(listed.count >= count, "seed \(seed)")
                        #expect(listed == listed.sorted(), "seed \(seed)")
                    }
                }
            }
        }
        #expect(Self.ordered(registry) == names.sorted(), "seed \(seed)")
    }
}
