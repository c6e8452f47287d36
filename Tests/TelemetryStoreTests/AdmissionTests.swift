import Telemetry
import Testing

@testable import TelemetryStore

/// Rates and the cap on devices. The clock moves by hand.
@Suite struct AdmissionTests {
    private func bench(_ configure: (inout TableLimits) -> Void) throws -> Bench {
        try Bench { table, _ in configure(&table.limits) }
    }

    /// Commits `count` readings of a device, all with different times, and tells how many were refused, and for what.
    private func send(_ count: Int, _ device: String, to bench: Bench) throws -> [RejectReason: Int] {
        var batch = ReadingBatch()
        for index in 0..<count {
            batch.append(reading(device, bench.clock.now() - TimeSpan(microseconds: Int64(index)), ["n": .integer(1)]))
        }
        return Dictionary(grouping: try bench.store.commit(&batch).rejections, by: \.reason).mapValues(\.count)
    }

    @Test func aDeviceGetsItsBurstAndThenItsRate() throws {
        let bench = try bench { ($0.deviceReadingsPerSecond, $0.burst) = (10, .seconds(2)) }
        #expect(try send(25, "a", to: bench) == [.rateLimited: 5])
        #expect(try send(1, "a", to: bench) == [.rateLimited: 1])
        #expect(try send(20, "b", to: bench) == [:])
        bench.clock.advance(by: .milliseconds(500))
        #expect(try send(6, "a", to: bench) == [.rateLimited: 1])
        // A bucket is full after the burst's time, and no fuller after a year.
        bench.clock.advance(by: .days(365))
        #expect(try send(21, "a", to: bench) == [.rateLimited: 1])
        #expect(bench.store.statistics.rejected == [.rateLimited: 8])
    }

    @Test func aShorterBurstKeepsNobodyOutForTheLongerOne() throws {
        let bench = try bench { ($0.deviceReadingsPerSecond, $0.burst) = (1, .seconds(600)) }
        #expect(try send(600, "a", to: bench) == [:])
        var limits = TableLimits()
        (limits.deviceReadingsPerSecond, limits.burst) = (1, .seconds(10))
        bench.store.setLimits(limits, table: bench.table.name)
        #expect(try send(1, "a", to: bench) == [.rateLimited: 1])
        for _ in 0..<5 {
            bench.clock.advance(by: .seconds(1))
            #expect(try send(1, "a", to: bench) == [:])
        }
    }

    @Test func whatIsRefusedMakesNoDeviceKnown() throws {
        let bench = try bench { ($0.readingsPerSecond, $0.maxDevices, $0.burst) = (1, 4, .seconds(1)) }
        var batch = ReadingBatch()
        for number in 0..<10 { batch.append(reading("invented \(number)", nil, ["n": .integer(1)])) }
        bench.store.assignMissingTimes(&batch)
        #expect(try bench.store.commit(&batch).accepted == 1)
        bench.clock.advance(by: .seconds(10))
        for number in 0..<3 {
            #expect(try send(1, "honest \(number)", to: bench) == [:])
            bench.clock.advance(by: .seconds(1))
        }
    }

    @Test func whatComesAgainIsNotHeldToTheRate() throws {
        let bench = try bench { ($0.deviceReadingsPerSecond, $0.burst) = (1, .seconds(1)) }
        #expect(try send(1, "a", to: bench) == [:])
        var batch = ReadingBatch()
        batch.append(reading("a", nil, ["n": .integer(7)]))
        batch.setRedelivered(bench.clock.now(), row: 0)
        #expect(try bench.store.commit(&batch).accepted == 1)
    }

    @Test func aTableIsLimitedWhicheverDeviceSends() throws {
        let bench = try bench { ($0.readingsPerSecond, $0.burst) = (5, .seconds(1)) }
        let refused = try (0..<8).map { try send(1, "device \($0)", to: bench)[.rateLimited, default: 0] }
        #expect(refused == [0, 0, 0, 0, 0, 1, 1, 1])
    }

    @Test func whatTheTableRefusesCostsTheDeviceNothing() throws {
        let bench = try bench { ($0.readingsPerSecond, $0.deviceReadingsPerSecond, $0.burst) = (4, 2, .seconds(1)) }
        for device in ["a", "b"] { #expect(try send(2, device, to: bench) == [:]) }
        #expect(try send(2, "c", to: bench) == [.rateLimited: 2])
        bench.clock.advance(by: .milliseconds(500))
        #expect(try send(2, "c", to: bench) == [:])
    }

    @Test func aRefusedReadingIsNotStoredAndItsNeighboursAre() throws {
        let bench = try bench { ($0.deviceReadingsPerSecond, $0.burst) = (1, .seconds(1)) }
        var batch = ReadingBatch()
        for (device, value) in [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 5)] {
            batch.append(reading(device, nil, ["n": .integer(Int64(value))]))
        }
        let receipt = try bench.store.commit(&batch)
        #expect(receipt.accepted == 3 && receipt.rejections.map(\.row) == [2, 4])
        #expect(batch.refusal(ofRow: 2) == .deviceRate && batch.refusal(ofRow: 3) == nil && batch.refusal(ofRow: 4) == .deviceRate)
        #expect(["a", "b", "c"].map { bench.value($0, "n") } == [.integer(1), .integer(2), .integer(4)])
    }

    @Test func aBatchThatIsTriedAgainIsCountedOnce() throws {
        let bench = try bench { ($0.deviceReadingsPerSecond, $0.burst) = (5, .seconds(1)) }
        var batch = ReadingBatch()
        for index in 0..<5 { batch.append(reading("a", bench.clock.now() - .seconds(Int64(index)), ["n": .integer(1)])) }
        for _ in 0..<3 { #expect(try bench.store.commit(&batch).rejections.isEmpty) }
        batch.removeAll()
        batch.append(reading("a", bench.clock.now(), ["n": .integer(2)]))
        #expect(try bench.store.commit(&batch).rejections.map(\.reason) == [.rateLimited])
    }

    @Test func aCommitThatFailsUsesNothingUp() throws {
        let bench = try bench { ($0.deviceReadingsPerSecond, $0.readingsPerSecond, $0.burst) = (5, 6, .seconds(1)) }
        #expect(try send(1, "b", to: bench) == [:])
        for _ in 0..<3 {
            var batch = ReadingBatch()
            for index in 0..<7 { batch.append(reading("a", index < 3 ? nil : Bench.start - .seconds(Int64(index)), ["n": .integer(1)])) }
            // Too early to be true: nothing is stored.
            bench.clock.set(to: Bench.start - .days(2))
            bench.store.assignMissingTimes(&batch)
            #expect(throws: StoreError.self) { try bench.store.commit(&batch) }
            #expect(batch.refusals.isEmpty)
        }
        bench.clock.set(to: Bench.start)
        #expect(try send(6, "a", to: bench) == [.rateLimited: 1])
        #expect(try send(1, "c", to: bench) == [.rateLimited: 1])
    }

    @Test func whatWasRefusedBeforeStaysRefused() throws {
        let bench = try bench { _ in }
        var batch = ReadingBatch()
        for number in 0..<3 { batch.append(reading("a", nil, ["n": .integer(Int64(number))])) }
        batch.setRedelivered(.distantPast, row: 1)
        bench.store.assignMissingTimes(&batch)
        let receipt = try bench.store.commit(&batch)
        #expect(receipt.accepted == 2 && receipt.rejections.map(\.row) == [1] && receipt.rejections.map(\.reason) == [.rateLimited])
        #expect(bench.value("a", "n") == .integer(2))
    }

    @Test func refusalsAreInTheOrderOfTheirRows() throws {
        let bench = try bench { ($0.deviceReadingsPerSecond, $0.burst) = (1, .seconds(1)) }
        var batch = ReadingBatch()
        for number in 0..<6 { batch.append(reading("a", nil, ["n": .integer(Int64(number))])) }
        batch.setRedelivered(.distantPast, row: 2)
        batch.setRedelivered(.distantPast, row: 4)
        #expect(try bench.store.commit(&batch).rejections.map(\.row) == [1, 2, 3, 4, 5])
        #expect((0..<6).map { batch.refusal(ofRow: $0) } == [nil, .deviceRate, .before, .deviceRate, .before, .deviceRate])
    }

    @Test func limitsChangeWhileReadingsComeIn() throws {
        let bench = try bench { _ in }
        #expect(try send(1_000, "a", to: bench) == [:])
        var limits = TableLimits()
        (limits.deviceReadingsPerSecond, limits.burst) = (3, .seconds(1))
        #expect(bench.store.setLimits(limits, table: "telemetry"))
        #expect(try send(5, "a", to: bench) == [.rateLimited: 2])
        // The same limits again forgive nobody.
        bench.store.setLimits(limits, table: "telemetry")
        #expect(try send(5, "a", to: bench) == [.rateLimited: 5])
        bench.store.setLimits(TableLimits(), table: "telemetry")
        #expect(try send(1_000, "a", to: bench) == [:])
        #expect(!bench.store.setLimits(limits, table: "other"))
    }

    @Test func devicesBeyondTheCapAreRefusedAndKnownOnesAreNot() throws {
        let bench = try bench { $0.maxDevices = 3 }
        for device in ["a", "b", "c"] { #expect(try send(1, device, to: bench) == [:]) }
        #expect(try send(2, "d", to: bench) == [.deviceLimit: 2])
        var batch = ReadingBatch()
        batch.append(reading("e", nil, ["n": .integer(1)]))
        #expect(try bench.store.commit(&batch).rejections.map(\.reason) == [.deviceLimit])
        var limits = TableLimits()
        limits.maxDevices = 1
        bench.store.setLimits(limits, table: "telemetry")
        #expect(try send(1, "c", to: bench) == [:])
        limits.maxDevices = 4
        bench.store.setLimits(limits, table: "telemetry")
        #expect(try send(1, "d", to: bench) == [:])
        #expect(try send(1, "e", to: bench) == [.deviceLimit: 1])
        // A lower cap does not keep a store from opening.
        bench.tableOptions.limits.maxDevices = 2
        try bench.reopen()
        #expect(try send(1, "d", to: bench) == [:])
        #expect(try send(1, "e", to: bench) == [.deviceLimit: 1])
    }

    @Test func ofASetTheFullestBucketIsForgotten() {
        let buckets = DeviceBuckets()
        let hashes = (0...DeviceBuckets.setSize).map { 5 + $0 * DeviceBuckets.setCount }
        for (index, hash) in hashes.dropLast().enumerated() { buckets.state(ofHash: hash).pointee = Int64(100 + index) }
        buckets.state(ofHash: hashes[3]).pointee = 50
        #expect(buckets.state(ofHash: hashes[DeviceBuckets.setSize]).pointee == 0)
        for (index, hash) in hashes.dropLast().enumerated() where index != 3 {
            #expect(buckets.state(ofHash: hash).pointee == Int64(100 + index))
        }
    }

    @Test func moreDevicesThanBucketsAreNeverHeldToLessThanTheirRate() throws {
        let bench = try bench { ($0.deviceReadingsPerSecond, $0.burst) = (1, .seconds(1)) }
        for round in 0..<3 {
            var batch = ReadingBatch()
            for device in 0..<30_000 { batch.append(reading("device \(round) \(device)", nil, ["n": .integer(1)])) }
            for device in 30_000..<65_000 { batch.append(reading("device \(device)", nil, ["n": .integer(1)])) }
            #expect(try bench.store.commit(&batch).rejections.isEmpty)
            bench.clock.advance(by: .seconds(1))
        }
    }

    @Test(arguments: [1, 3, 7, 1_000, 999_999, 5_000_000_000, Int.max])
    func arithmeticHoldsAtTheEdges(rate: Int) throws {
        let pace = try #require(Pace(readingsPerSecond: rate, burst: TimeSpan(microseconds: .max)))
        let now = Int64.max / 4
        #expect(pace.next(after: 0, now: now) == now + pace.interval)
        #expect(pace.next(after: now + pace.tolerance, now: now) == nil)
        let narrow = try #require(Pace(readingsPerSecond: rate, burst: .zero))
        #expect(narrow.next(after: 0, now: 0) == narrow.interval && narrow.next(after: narrow.interval, now: 0) == nil)
        #expect(Pace(readingsPerSecond: 0, burst: .zero) == nil)
    }
}
