import Foundation
import IndependentReaders
import Telemetry
import TelemetryStore
import Testing

@testable import Delivery

/// Which rows each mode delivers, and when.
@Suite struct ModeTests {
    private static func readings(_ device: String, _ range: Range<Int>) -> [Reading] {
        range.map { TestBed.reading(device, .seconds(Int64($0)), ["v": .integer(Int64($0))]) }
    }

    private func delivered(_ bed: TestBed) throws -> ExpectedRows { ExpectedRows(try bed.readAll()) }

    @Test(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
    func incrementalLeavesOutWhatWasThereAndTakesWhatComesAfterItsAge() throws {
        let bed = try TestBed(.init(mode: .incremental))
        try bed.commit(Self.readings("old", 0..<10))
        #expect(bed.task.status.phase == .initial)
        bed.task.runOnce()
        #expect(bed.task.status.phase == .incremental && bed.task.status.syncPoint == bed.clock.now())
        let begun = bed.clock.now()
        bed.clock.advance(by: .seconds(1))
        try bed.commit(Self.readings("new", 0..<10))
        bed.clock.advance(by: .seconds(119))
        #expect(try bed.pass().partitionCount == 0)
        #expect(bed.task.status.syncPoint == begun + .seconds(1) && bed.task.status.lag == .zero)
        // Nothing comes any more; the age is over all the same.
        bed.clock.advance(by: .seconds(1))
        #expect(try bed.pass().totals.rowCount == 10)
        #expect(bed.table.partitions()[0].state == .open)
        #expect(try delivered(bed) == ExpectedRows(Self.readings("new", 0..<10)))
        #expect(bed.task.status.syncPoint == bed.clock.now())
    }

    @Test(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
    func incrementalGoesOnAcrossRestartsSealsAndLateRows() throws {
        let bed = try TestBed(.init(mode: .incremental))
        bed.task.runOnce()
        var expected: [Reading] = []
        for round in 0..<6 {
            let rows = Self.readings("d\(round % 2)", (round * 100)..<(round * 100 + 100))
            try bed.commit(rows)
            expected += rows
            bed.clock.advance(by: round == 3 ? .hours(2) : .minutes(2))
            if round % 2 == 1 { try bed.restart() }
            #expect(try bed.pass().error == .ok)
        }
        bed.clock.advance(by: .hours(2))
        try bed.pass()
        #expect(try delivered(bed) == ExpectedRows(expected))
        #expect(bed.table.partitions().map(\.state) == [.delivered])
        let numbers = bed.task.objects(of: bed.table.partitions()[0].id).map(\.sequence)
        #expect(numbers == (0..<UInt64(numbers.count)).map { $0 } && numbers.count >= 4)
    }

    @Test func incrementalClosesAnObjectThatIsFullBeforeItsAge() throws {
        let bed = try TestBed(.init(mode: .incremental, maxObjectByteCount: 16 << 10))
        bed.task.runOnce()
        try bed.commit(TestBed.noise(900))
        #expect(bed.task.runOnce().partitionCount == 0, "too few yet, by the first guess of their size")
        try bed.commit(TestBed.noise(1_500, seed: 2))
        #expect(bed.task.runOnce().partitionCount == 1)
    }

    /// A row that is written again is no new row of the table, but one to deliver.
    @Test(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
    func incrementalDeliversARowThatIsWrittenAgain() throws {
        let bed = try TestBed(.init(mode: .incremental))
        bed.task.runOnce()
        for value in [Int64(1), 2] {
            try bed.commit([TestBed.reading("d", .zero, ["v": .integer(value)])])
            bed.clock.advance(by: .minutes(2))
            #expect(try bed.pass().totals.rowCount == 1)
        }
        #expect(try bed.readAll().map { $0.rows.map(\.last) } == [["i:1"], ["i:2"]])
    }

    @Test(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
    func fullDeliversWhatWasThereOnce() throws {
        let bed = try TestBed(.init(mode: .full))
        try bed.commit(Self.readings("a", 0..<10))
        try bed.store.performMaintenance()
        bed.clock.set(to: TestBed.start + .hours(1))
        let second = [TestBed.reading("a", .hours(1), ["v": .integer(1)])]
        try bed.commit(second)
        #expect(bed.task.runOnce().totals.rowCount == 11)
        #expect(bed.task.status.phase == .done && bed.task.status.events.map(\.kind) == [.begun, .completed])
        try bed.commit(Self.readings("later", 20..<30))
        bed.clock.advance(by: .hours(10))
        for _ in 0..<2 {
            #expect(try bed.pass() == DeliveryReport())
            try bed.restart()
        }
        #expect(try delivered(bed) == ExpectedRows(Self.readings("a", 0..<10) + second))
        #expect(bed.task.status.phase == .done && bed.task.status.events.map(\.kind) == [.begun, .completed])
    }

    @Test func aPartitionWaitsForFullWhatItIsToHaveAndNoLonger() throws {
        let bed = try TestBed(.init(mode: .full))
        try bed.commit(Self.readings("a", 0..<10))
        bed.faults.arm(call: 8, .before)
        #expect(bed.task.runOnce().error != .ok)
        bed.clock.set(to: TestBed.start + .days(40))
        try bed.store.performMaintenance()
        bed.clock.advance(by: .seconds(2))
        try bed.store.performMaintenance()
        #expect(bed.table.partitions().count == 1, "not delivered, not dropped")
        bed.faults.disarm()
        bed.clock.advance(by: .minutes(6))
        #expect(try bed.pass().error == .ok)
        try bed.store.performMaintenance()
        #expect(bed.table.partitions().isEmpty)
    }

    @Test func withoutRetentionFullEndsWhenTheRestHasExpired() throws {
        let bed = try TestBed(.init(mode: .full, retains: false))
        try bed.commit(Self.readings("a", 0..<10))
        bed.faults.arm(call: 8, .before)
        #expect(bed.task.runOnce().error != .ok)
        bed.faults.disarm()
        for _ in 0..<3 {
            bed.clock.advance(by: .days(40))
            try bed.store.performMaintenance()
        }
        #expect(bed.table.partitions().isEmpty)
        bed.task.runOnce()
        #expect(bed.task.status.phase == .done && bed.task.status.lag == .zero)
        #expect(bed.task.status.events.map(\.kind) == [.begun, .expired, .completed])
    }

    @Test(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
    func differentialDeliversAllAndGoesOn() throws {
        let bed = try TestBed(.init(mode: .differential))
        try bed.commit(Self.readings("a", 0..<10))
        #expect(bed.task.runOnce().totals.rowCount == 10, "what is there does not wait for its age")
        #expect(bed.task.status.phase == .incremental)
        try bed.commit(Self.readings("a", 10..<20))
        #expect(bed.task.runOnce().totals.rowCount == 0)
        bed.clock.advance(by: .minutes(2))
        #expect(bed.task.runOnce().totals.rowCount == 10)
        #expect(try delivered(bed) == ExpectedRows(Self.readings("a", 0..<20)))
    }

    @Test func anotherModeIsAConflictUntilTheTaskIsRestarted() throws {
        let bed = try TestBed(.init(mode: .aged))
        bed.task.runOnce()
        try bed.restart(.init(mode: .incremental))
        #expect(bed.task.runOnce().error == .conflict)
        #expect(bed.task.status.detail.contains("began with mode = \"aged\""))
        try bed.task.restart()
        #expect(bed.task.runOnce().error == .ok && bed.task.status.phase == .incremental)
    }

    @Test func aPausedTaskDeliversNothingUntilItIsResumedAcrossRestarts() throws {
        let bed = try TestBed()
        try bed.commit(Self.readings("d", 0..<1))
        try bed.seal()
        try bed.task.pause()
        try bed.task.pause()
        #expect(bed.task.runOnce() == DeliveryReport() && bed.task.status.activity == .paused)
        try bed.restart()
        #expect(bed.task.status.activity == .paused)
        #expect(bed.task.runOnce() == DeliveryReport())
        try bed.task.resume()
        #expect(bed.task.runOnce().totals.rowCount == 1 && bed.task.status.activity == .idle)
        #expect(bed.task.status.events.map(\.kind) == [.begun, .paused, .resumed])
    }

    @Test(
        .enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"),
        arguments: [DeliveryMode.aged, .full, .differential]
    ) func aRestartedTaskDeliversEverythingAgainUnderFurtherNumbers(mode: DeliveryMode) throws {
        let bed = try TestBed(.init(mode: mode))
        try bed.commit(Self.readings("d", 0..<10))
        try bed.seal()
        bed.task.runOnce()
        let first = try bed.files()
        #expect(first.count == 1)
        // As if somebody had emptied the destination.
        try FileManager.default.removeItem(atPath: bed.archive)
        try bed.task.restart()
        #expect(bed.task.status.phase == (mode == .aged ? .incremental : .full))
        #expect(bed.task.objects(of: bed.table.partitions()[0].id).isEmpty)
        if mode == .full { try bed.restart() }
        #expect(bed.task.runOnce().totals.rowCount == 10)
        #expect(try bed.files() == first.map { $0.replacing("00000000.parquet", with: "00000001.parquet") })
        #expect(try delivered(bed) == ExpectedRows(Self.readings("d", 0..<10)))
        #expect(bed.task.status.totals.rowCount == 20 && bed.task.status.events.map(\.kind).contains(.restarted))
        #expect(bed.table.partitions()[0].state == (mode == .full ? .sealed : .delivered))
    }

    /// Also one that is paused, so that no row falls between the restart and the resumption.
    @Test func aTaskThatIsRestartedWhileItIsPausedDeliversWhatComesMeanwhile() throws {
        let bed = try TestBed(.init(mode: .incremental))
        bed.task.runOnce()
        try bed.task.pause()
        try bed.task.restart()
        try bed.commit(Self.readings("d", 0..<5))
        try bed.task.resume()
        bed.clock.advance(by: .minutes(2))
        #expect(bed.task.runOnce().totals.rowCount == 5)
    }

    /// What waits for the old mode must not be let go of by a slip in the configuration.
    @Test func aModeThatWasChangedHoldsWhatTheOldOneIsToHave() throws {
        let bed = try TestBed()
        bed.task.runOnce()
        try bed.commit(Self.readings("d", 0..<5))
        try bed.restart(.init(mode: .full))
        bed.task.runOnce()
        for _ in 0..<3 {
            bed.clock.advance(by: .days(40))
            try bed.store.performMaintenance()
        }
        #expect(bed.task.status.error == .conflict && bed.table.partitions().count == 1)
    }

    @Test func theHistoryHasAFailureOnceAndItsEnd() throws {
        let bed = try TestBed()
        try bed.commit(Self.readings("d", 0..<1))
        try bed.seal()
        try Data().write(to: URL(fileURLWithPath: bed.archive))
        for _ in 0..<4 {
            #expect(bed.task.runOnce().error == .invalidDestination)
            bed.clock.advance(by: .minutes(6))
        }
        try FileManager.default.removeItem(atPath: bed.archive)
        #expect(bed.task.runOnce().error == .ok)
        let events = bed.task.status.events
        #expect(events.map(\.kind) == [.begun, .failed, .recovered])
        #expect(events[1].error == .invalidDestination && events[1].detail.contains(bed.archive))
        try bed.restart()
        #expect(bed.task.status.events == events)
    }

    /// Whoever looks at a paused task sees how much has been left undone, also behind a restart of the program.
    @Test func whatWaitsWhileATaskIsPausedCountsAsLag() throws {
        let bed = try TestBed(.init(mode: .incremental))
        bed.task.runOnce()
        try bed.task.pause()
        bed.clock.advance(by: .seconds(1))
        let written = bed.clock.now()
        try bed.commit(Self.readings("d", 0..<10))
        bed.clock.advance(by: .minutes(10))
        #expect(bed.task.runOnce() == DeliveryReport())
        #expect(bed.task.status.syncPoint == written && bed.task.status.lag == .minutes(8))
        bed.clock.advance(by: .minutes(1))
        bed.task.runOnce()
        #expect(bed.task.status.lag == .minutes(9) && bed.task.status.activity == .paused)
        try bed.restart()
        #expect(bed.task.status.activity == .paused)
        bed.clock.advance(by: .minutes(5))
        bed.task.runOnce()
        #expect(bed.task.status.lag >= .minutes(3))
        try bed.task.resume()
        #expect(try bed.pass().totals.rowCount == 10)
        #expect(bed.task.status.lag == .zero && bed.task.status.syncPoint == bed.clock.now())
    }
}
