import Synchronization
import Telemetry
import Testing

@testable import TelemetryStore

private final class Flag: Sendable {
    let value = Atomic(false)
}

@Suite("Reads, commits and maintenance at once")
struct ConcurrencyTests {
    /// Two devices are written in order, every row a second after the one before, while windows are flushed, sealed and expire, and
    /// readers page through both. Whatever is under way, a read sees every row up to the newest it was told of, without a hole.
    @Test("a range read of a window under flush or seal is always right")
    func readersHoldWhatTheyRead() async throws {
        let bench = try Bench { table, store in
            table.partitionLength = .seconds(20)
            table.sealAfter = .seconds(5)
            store.blockCacheByteCount = 4_096
        }
        let (store, clock) = (bench.store, bench.clock)
        let isDone = Flag()
        let rowCount = 400
        await withTaskGroup(of: Void.self) { group in
            for device in ["a", "b"] {
                group.addTask {
                    for step in 0..<rowCount {
                        var batch = ReadingBatch()
                        let fields: [String: FieldValue] = ["n": .integer(Int64(step)), "text": .string("value \(step)")]
                        batch.append(reading(device, Bench.start + .seconds(Int64(step)), fields))
                        do { _ = try store.commit(&batch) } catch { Issue.record(error) }
                        if device == "a" { clock.advance(by: .seconds(1)) }
                    }
                }
            }
            group.addTask {
                while !isDone.value.load(ordering: .relaxed) {
                    do { try store.performMaintenance() } catch { Issue.record(error) }
                }
            }
            for device in ["a", "b"] {
                group.addTask {
                    var last = 0
                    while last < rowCount {
                        let count = Self.checkedRowCount(of: device, in: store)
                        if count < last { Issue.record("\(device) had \(last) rows and now has \(count)") }
                        last = count
                    }
                    if device == "a" { isDone.value.store(true, ordering: .relaxed) }
                }
            }
        }
        #expect(bench.table.summary().rowCount == 2 * rowCount)
    }

    /// Pages through all rows of a device, newest first, and checks that they count down to 0 without a hole.
    private static func checkedRowCount(of device: String, in store: TelemetryStore) -> Int {
        let table = store.tables[0]
        let newest = table.latest(device: device, fields: ["n"])?.entries.first?.cell.integer
        var query = RangeQuery(device: device, start: .distantPast, end: .distantFuture)
        query.limit = 37
        var values: [Int64] = []
        repeat {
            guard let page = try? table.range(query) else { return 0 }
            let column = page.columns.firstIndex { $0.name == "n" } ?? 0
            for row in page.times.indices { values.append(page.cells[row * page.columns.count + column].integer) }
            query.after = page.nextAfter
        } while query.after != nil
        let expected = Array((0..<Int64(values.count)).reversed())
        if values != expected { Issue.record("\(device): \(values.prefix(5))… of \(values.count) rows are not in a row") }
        if let newest, Int64(values.count) <= newest { Issue.record("\(device): latest is \(newest), but only \(values.count) rows") }
        return values.count
    }
}
