import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// However large the values and however shuffled the rows, who reads them holds some MiB.
@Suite("Bytes held by merges, scans and pages")
struct BoundedMemoryTests {
    private let now = Bench.start
    private let rowCount = 400
    /// A pass, and what the last piece of each of two segments brings beyond it.
    private let limit = RowBuffer.bytesPerPass + 4 * SegmentFormat.bytesPerFrame

    /// 25 MiB in two segments, one behind the other in time or each all over it.
    private func bigValues(isShuffled: Bool) throws -> Bench {
        let bench = try Bench { table, store in
            table.partitionLength = .hours(1)
            store.logFileByteCount = 64 << 20
        }
        for half in 0..<2 {
            for index in 0..<(rowCount / 2) {
                let second = isShuffled ? index * 2 + half : half * rowCount / 2 + index
                let bytes = [UInt8](repeating: UInt8(second & 255), count: 65_536)
                try bench.commit(reading("d", now + .milliseconds(Int64(second)), ["a": .binary(bytes)]))
            }
            try bench.flush()
        }
        return bench
    }

    private func times(_ isAscending: Bool = false) -> [Int64] {
        let times = (0..<Int64(rowCount)).map { now.microseconds + $0 * 1_000 }
        return isAscending ? times : times.reversed()
    }

    @Test("a merge holds some pieces, and gives every row once, newest first", arguments: [false, true])
    func merge(isShuffled: Bool) throws {
        let bench = try bigValues(isShuffled: isShuffled)
        var merger = try SegmentMerger(bench.table.core.lock.reading { bench.table.core.partitions.values.first!.segments })
        _ = try merger.nextDevice()
        var (rows, seen, isMore) = (RowBuffer(), [Int64](), true)
        while isMore {
            rows.removeAll()
            isMore = try merger.readRows(atLeast: SegmentFormat.rowsPerFrame, into: &rows)
            #expect(rows.bytes.count <= limit)
            seen += rows.rows.map(\.time)
        }
        #expect(seen == times())
    }

    @Test("a merge of them is written whole", arguments: [false, true])
    func mergedSegment(isShuffled: Bool) throws {
        let bench = try bigValues(isShuffled: isShuffled)
        bench.clock.advance(by: .hours(2))
        try bench.store.performMaintenance()
        #expect(bench.table.partitions()[0].segmentCount == 1)
        var query = RangeQuery(device: "d", start: .distantPast, end: .distantFuture)
        var seen: [Int64] = []
        repeat {
            let page = try #require(try bench.table.range(query))
            for (time, cell) in zip(page.times, page.cells) {
                let value = UInt8((time.microseconds - now.microseconds) / 1_000 & 255)
                #expect(cell.byteCount == 65_536 && page.bytes[cell.byteRange].allSatisfy { $0 == value })
            }
            seen += page.times.map(\.microseconds)
            query.after = page.nextAfter
        } while query.after != nil
        #expect(seen == times())
    }

    @Test("a scan's chunks end by bytes, too", arguments: [false, true])
    func scan(isShuffled: Bool) throws {
        let bench = try bigValues(isShuffled: isShuffled)
        let scan = try bench.table.scan(bench.table.partitions()[0].id, after: 0, through: 1_000)
        var seen: [Int64] = []
        while let chunk = try scan.next() {
            #expect(chunk.bytes.count <= limit)
            seen += chunk.times.map(\.microseconds)
        }
        #expect(seen == times())
    }

    @Test("a page ends by bytes, and the next goes on behind it", arguments: [RangeQuery.Order.ascending, .descending], [false, true])
    func page(order: RangeQuery.Order, isShuffled: Bool) throws {
        let bench = try bigValues(isShuffled: isShuffled)
        var query = RangeQuery(device: "d", start: .distantPast, end: .distantFuture)
        (query.order, query.limit) = (order, 4_096)
        var seen: [Int64] = []
        repeat {
            let page = try #require(try bench.table.range(query))
            #expect(page.bytes.count <= RangePage.byteLimit + 65_536)
            seen += page.times.map(\.microseconds)
            query.after = page.nextAfter
        } while query.after != nil
        #expect(seen == times(order == .ascending))
    }

    @Test("pieces however they overlap come out as if all were sorted at once", arguments: 0..<40 as Range<UInt64>)
    func pieces(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var pieces: [[RowBuffer.Row]] = (0..<Int.random(in: 1...12, using: &random)).map { piece in
            let start = Int64.random(in: 0...400, using: &random)
            let reach = random.pick([0, 5, 40, 400])
            let times = (0..<Int.random(in: 1...60, using: &random)).map { _ in start + Int64.random(in: 0...Int64(reach), using: &random) }
            return times.sorted(by: >).enumerated().map { row, time in
                .init(time: time, commitTime: 0, order: UInt64(piece) << 32 | UInt64(1_000 - row), firstCell: 0, cellCount: 0)
            }
        }
        pieces.sort { $0[0].time > $1[0].time }
        var merge = PieceMerge(maxTimes: pieces.map { $0[0].time })
        var (seen, isMore) = ([RowBuffer.Row](), true)
        while isMore {
            var rows = RowBuffer()
            isMore = merge.readRows(atLeast: Int.random(in: 1...80, using: &random), into: &rows) { $1.rows += pieces[$0] }
            #expect(isMore || !rows.isEmpty, "seed \(seed)")
            if let last = seen.last, let first = rows.rows.first { #expect(first.time < last.time, "seed \(seed)") }
            seen += rows.rows
        }
        let expected = pieces.flatMap { $0 }.sorted { $0.time != $1.time ? $0.time > $1.time : $0.order > $1.order }
        #expect(seen.map { [UInt64($0.time), $0.order] } == expected.map { [UInt64($0.time), $0.order] }, "seed \(seed)")
    }

    @Test("a cell does not name bytes beyond 4 GiB as others")
    func offsets() async {
        #expect(Cell.bytes(.binary, offset: Int(UInt32.max), count: 1).byteOffset == Int(UInt32.max))
        await #expect(processExitsWith: .failure) { _ = Cell.bytes(.binary, offset: 1 << 32, count: 1) }
        await #expect(processExitsWith: .failure) { _ = Cell.bytes(.binary, offset: 0, count: 1 << 32) }
    }
}
