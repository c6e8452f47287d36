import Telemetry
import Testing

@testable import TelemetryStore

/// The ring's limit: what is lost is counted, memory stays where it was told to.
@Suite("Live readers that fall behind")
struct FeedRingTests {
    @Test("a gap and what is shown add up, whatever the ring and the batches", arguments: [4_096, 20_000, 65_536], [1, 3, 50])
    func gapsAreExact(ringBytes: Int, batchCount: Int) throws {
        let bench = try FeedTests.bench(bytes: ringBytes)
        let reader = try FeedTests.reader(bench)
        var (shown, missed, expected) = (0, 0, 0)
        for round in 0..<40 {
            // From a trickle to many times the ring.
            for batchNumber in 0..<(round % 4 == 3 ? 2_000 / batchCount : 2) {
                var batch = ReadingBatch()
                for index in 0..<batchCount {
                    let number = Int64((round * 10_000 + batchNumber) * 100 + index)
                    let time = Bench.start + TimeSpan(microseconds: number)
                    batch.append(reading("device \(number % 7)", time, ["n": .integer(number), "text": .string("value \(number)")]))
                    // Its duplicate is neither shown nor missed.
                    if index % 5 == 0 { batch.append(reading("device \(number % 7)", time, ["n": .integer(number)])) }
                }
                expected += batchCount
                _ = try bench.store.commit(&batch)
            }
            let part = reader.drain(byteLimit: 1_000)
            shown += part.numbers.count
            missed += part.gaps.reduce(0) { $0 + ($1.count ?? 0) }
            #expect(part.gaps.allSatisfy { $0.isExact })
            #expect(shown + missed == expected, "round \(round)")
            #expect(part.numbers == part.numbers.sorted())
            #expect(bench.store.feed.byteCount <= ringBytes)
        }
        #expect(missed > 0)
        #expect(shown > 0)
    }

    @Test("a gap tells its newest reading; behind it nothing is missing")
    func gapEnds() throws {
        let bench = try FeedTests.bench(bytes: 8_192)
        let (reader, filtered) = (try FeedTests.reader(bench), try FeedTests.reader(bench) { $0.devices.require(prefix: "d") })
        for number in 0..<1_000 { try FeedTests.commit(number, to: bench) }
        let shown = reader.drain()
        let gap = try #require(shown.gaps.first)
        #expect(shown.gaps.count == 1)
        #expect(gap.isExact)
        #expect(gap.count == Int(gap.last))
        #expect(shown.sequences == Array((gap.last + 1)...1_000))
        // What a filter would have left out can no longer be told.
        #expect(filtered.drain().gaps == [FeedGap(count: gap.count, isExact: false, last: gap.last)])
    }

    @Test("a commit that is larger than half the ring is a gap, exact all the same")
    func largeCommits() throws {
        let bench = try FeedTests.bench(bytes: 8_192)
        let (early, middle) = (try FeedTests.reader(bench), try FeedTests.reader(bench))
        try FeedTests.commit(0, to: bench)
        #expect(middle.drain().numbers == [0])
        let long = String(repeating: "x", count: 9_000)
        try bench.commit(reading("d", Bench.start + .seconds(1), ["n": .integer(1), "long": .string(long)]))
        let late = try FeedTests.reader(bench)
        try FeedTests.commit(2, to: bench)
        #expect(early.drain() == Shown(sequences: [3], devices: ["d"], numbers: [2], gaps: [.init(count: 2, isExact: true, last: 2)]))
        #expect(middle.drain() == Shown(sequences: [3], devices: ["d"], numbers: [2], gaps: [.init(count: 1, isExact: true, last: 2)]))
        #expect(late.drain() == Shown(sequences: [3], devices: ["d"], numbers: [2]))
        #expect(bench.store.feed.byteCount <= 8_192)
    }

    @Test("the newest of each device, and nothing twice or late")
    func newestOnly() throws {
        let bench = try FeedTests.bench()
        let reader = try FeedTests.reader(bench) { $0.isNewestOnly = true }
        for number in 0..<10 { try FeedTests.commit(number, ["a", "b", "a"][number % 3], to: bench) }
        let newest = Shown(sequences: [8, 10], devices: ["b", "a"], numbers: [7, 9])
        #expect(reader.drain(byteLimit: 1) == newest)
        #expect(try FeedTests.reader(bench, after: 0) { $0.isNewestOnly = true }.drain() == newest)
        #expect(reader.drain() == Shown())
        for number in 10..<13 { try FeedTests.commit(number, "b", to: bench) }
        #expect(reader.drain().numbers == [12])
    }

    @Test("a read looks at so many rows and gives way, whether or not they are shown", arguments: [false, true])
    func readsAreBounded(isNewestOnly: Bool) throws {
        let bench = try FeedTests.bench(bytes: 8 << 20)
        let (limit, count) = (FeedReader.rowLimit, 2 * FeedReader.rowLimit + 10)
        let reader = try FeedTests.reader(bench) {
            $0.devices.require(prefix: "wanted")
            $0.isNewestOnly = isNewestOnly
        }
        for first in stride(from: 0, to: count, by: 1_000) {
            var batch = ReadingBatch()
            for number in first..<min(count, first + 1_000) {
                let time = Bench.start + TimeSpan(microseconds: Int64(number))
                // More devices than the cache of answers has places.
                batch.append(reading("other \(number % 10_000)", time, ["n": .integer(Int64(number))]))
            }
            _ = try bench.store.commit(&batch)
        }
        var rows = FeedRows()
        for turn in 1...2 {
            #expect(reader.read(into: &rows, byteLimit: 1 << 16) == .more)
            #expect(rows.isEmpty)
            // A walk ahead moves no place.
            #expect(reader.behindCount == (isNewestOnly ? count : count - turn * limit))
        }
        // What comes while a walk ahead goes on is the next turn's.
        try FeedTests.commit(1, "wanted", to: bench)
        #expect(reader.drain().numbers == (isNewestOnly ? [] : [1]))
        #expect(reader.drain().numbers == (isNewestOnly ? [1] : []))
        #expect(reader.behindCount == 0)
    }

    @Test("nothing is kept without readers, and for some time after the last one")
    func fillsForReadersOnly() throws {
        let feed = Feed(byteLimit: 1 << 16, tableCount: 1, lingerNanoseconds: 0)
        let bytes: [UInt8] = [0, 0, 1, 0, 0, 0, 0]
        func append(_ sequence: SequenceNumber) {
            bytes.withUnsafeBytes { feed.append(0, first: sequence, count: 1, base: 0, rows: $0, silent: []) }
        }
        append(1)
        #expect(feed.byteCount == 0)
        #expect(!feed.join())
        feed.openAndJoin(at: 2)
        #expect(feed.join())
        append(2)
        #expect(feed.byteCount > 0)
        feed.leave()
        append(3)
        #expect(feed.isFilling)
        feed.leave()
        append(4)
        #expect(!feed.isFilling)
        #expect(feed.byteCount == 0)
        #expect(!feed.join())
    }

    @Test("a cut connection finds what it missed while nobody reads")
    func lingers() throws {
        let bench = try FeedTests.bench()
        do { _ = try FeedTests.reader(bench) }
        for number in 0..<5 { try FeedTests.commit(number, to: bench) }
        #expect(bench.store.feed.isFilling)
        #expect(try FeedTests.reader(bench, after: 0).drain().numbers == [0, 1, 2, 3, 4])
    }

    @Test("a store without a feed has no readers")
    func switchedOff() throws {
        let bench = try FeedTests.bench(bytes: 0)
        #expect(bench.store.liveReader(of: bench.table, selection: FeedSelection()) == nil)
        try FeedTests.commit(0, to: bench)
        #expect(bench.store.feed.byteCount == 0)
    }

    @Test("readers come, fall behind, resume and go while many commit", arguments: [16_384, 1 << 20])
    func underLoad(ringBytes: Int) async throws {
        let bench = try FeedTests.bench(bytes: ringBytes)
        let (store, table) = (bench.store, bench.table)
        let (writers, commits, rows) = (3, 300, 7)
        let isDone = Guarded(false)
        // From the beginning, so that the sums hold.
        let readers = try (0..<3).map { _ in try FeedTests.reader(bench) }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskGroup(of: Void.self) { group in
                    for writer in 0..<writers {
                        group.addTask { Self.write(commits, rows, device: "d\(writer)", to: store) }
                    }
                }
                isDone.value = true
            }
            for (index, reader) in readers.enumerated() {
                group.addTask {
                    var reader = reader
                    var (total, last) = (0, [String: Int64]())
                    var isOver = false
                    while !isOver {
                        isOver = isDone.value
                        let shown = reader.drain(byteLimit: 2_000)
                        total += shown.numbers.count + shown.gaps.reduce(0) { $0 + ($1.count ?? 0) }
                        if shown.gaps.contains(where: { !$0.isExact }) { break }
                        for (device, number) in zip(shown.devices, shown.numbers) {
                            if let before = last[device], number <= before { Issue.record("\(device): \(number) after \(before)") }
                            last[device] = number
                        }
                        // The second cuts its connection now and then.
                        if index == 1, let again = store.liveReader(of: table, selection: FeedSelection(), after: reader.settled) {
                            reader = again
                        }
                        await Task.yield()
                    }
                    if isOver { #expect(total == writers * commits * rows) }
                }
            }
        }
    }

    private static func write(_ commits: Int, _ rows: Int, device: String, to store: TelemetryStore) {
        for commit in 0..<commits {
            var batch = ReadingBatch()
            for row in 0..<rows {
                let number = Int64(commit * rows + row)
                batch.append(reading(device, Bench.start + TimeSpan(microseconds: number), ["n": .integer(number)]))
            }
            do { _ = try store.commit(&batch) } catch { Issue.record(error) }
        }
    }
}
