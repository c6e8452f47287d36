import Foundation
import IndependentReaders
import ObjectStorage
import Parquet
import Telemetry
import TelemetryStore
import Testing

@testable import Delivery

/// Whatever step a crash follows, every row is delivered once, under numbers without gaps.
@Suite struct DeliveryCrashTests {
    private static let rowCount = 1_500
    private static let setups = [
        TestBed.Setup(maxObjectByteCount: 16 << 10),
        TestBed.Setup(mode: .incremental, maxObjectByteCount: 16 << 10),
        TestBed.Setup(mode: .full, prefix: "hour=$HH/minute=$mm", maxObjectByteCount: 16 << 10),
        TestBed.Setup(mode: .differential, prefix: "$bucket", maxObjectByteCount: 16 << 10, buckets: 3),
        // Slices without rows before the one that has them all.
        TestBed.Setup(mode: .incremental, prefix: "hour=$HH", maxObjectByteCount: 16 << 10, partitionLength: .days(1)),
    ]

    /// A store that several objects come out of; copied for each crash.
    private static func filledStore(_ setup: TestBed.Setup = setups[0]) throws -> TestBed {
        let bed = try TestBed(setup)
        if setup.mode == .incremental { bed.task.runOnce() }
        try bed.commit(TestBed.noise(rowCount))
        if setup.mode == .aged { try bed.seal() } else { bed.clock.advance(by: .minutes(2)) }
        try bed.store.close()
        return bed
    }

    private static func copy(of original: TestBed) throws -> TestBed {
        try TestBed(original.setup, copying: original.directory, at: original.clock.now())
    }

    /// The objects of a run that nothing disturbs.
    private static func undisturbed(_ original: TestBed) throws -> [DeliveredObject] {
        let bed = try copy(of: original)
        bed.task.runOnce()
        let objects = bed.task.objects(of: bed.table.partitions()[0].id)
        #expect(objects.count >= 3)
        if IndependentReaders.python != nil {
            #expect(ExpectedRows(try bed.readAll()) == ExpectedRows(TestBed.noise(rowCount)))
        }
        return objects
    }

    private func expect(_ bed: TestBed, delivered expected: [DeliveredObject], _ note: String) throws {
        #expect(bed.task.objects(of: bed.table.partitions()[0].id) == expected, "\(note)")
        #expect(try bed.files() == expected.map(\.key).sorted(), "\(note)")
        let manifest = try Data(contentsOf: URL(fileURLWithPath: "\(bed.archive)/\(try #require(try bed.manifests().first))"))
        #expect(String(decoding: manifest, as: UTF8.self).components(separatedBy: "\"key\"").count == expected.count + 1, "\(note)")
        if bed.setup.mode == .aged { #expect(bed.table.partitions()[0].state == .delivered, "\(note)") }
        #expect(bed.table.deliverable(task: "archive", endingBefore: .distantFuture, line: .flushed).isEmpty, "\(note)")
        for object in expected {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(bed.archive)/\(object.key)"))
            var digest = ContentDigest()
            bytes.withUnsafeBytes { digest.update($0) }
            #expect(digest.finish() == object.sha256, "\(note): \(object.key)")
        }
    }

    @Test(arguments: Faults.Moment.allCases, setups)
    func aCrashAtAnyCallIsRecoveredFrom(moment: Faults.Moment, setup: TestBed.Setup) throws {
        let original = try Self.filledStore(setup)
        let expected = try Self.undisturbed(original)
        for call in 1...1_000 {
            let bed = try Self.copy(of: original)
            bed.faults.arm(call: call, moment)
            let report = bed.task.runOnce()
            guard bed.faults.hasFired else {
                #expect(call > 30, "every object takes several calls")
                return
            }
            // A failure behind the last step is one of the directory's; all is told by the next start.
            #expect(report.error != .ok, "call \(call)")
            try bed.restart()
            #expect(bed.task.runOnce().error == .ok, "call \(call)")
            try expect(bed, delivered: expected, "call \(call), \(moment)")
        }
    }

    /// The same without a restart: the task itself comes back from the error.
    @Test func aFailureAtAnyCallIsRecoveredFromByTheNextRuns() throws {
        let original = try Self.filledStore()
        let expected = try Self.undisturbed(original)
        for call in stride(from: 1, to: 1_000, by: 3) {
            let bed = try Self.copy(of: original)
            bed.faults.arm(call: call, call % 2 == 0 ? .before : .after)
            bed.task.runOnce()
            guard bed.faults.hasFired else { return }
            bed.faults.disarm()
            bed.clock.advance(by: .seconds(1))
            #expect(bed.task.runOnce().error == .ok, "call \(call)")
            try expect(bed, delivered: expected, "call \(call)")
        }
    }

    @Test(arguments: setups) func crashAfterCrashIsRecoveredFrom(setup: TestBed.Setup) throws {
        let original = try Self.filledStore(setup)
        let expected = try Self.undisturbed(original)
        for seed in UInt64(1)...20 {
            var random = SplitMix(seed)
            let bed = try Self.copy(of: original)
            for _ in 0..<6 {
                bed.faults.arm(call: .random(in: 1...20, using: &random), Faults.Moment.allCases.randomElement(using: &random)!)
                bed.task.runOnce()
                try bed.restart()
            }
            #expect(bed.task.runOnce().error == .ok, "seed \(seed)")
            try expect(bed, delivered: expected, "seed \(seed)")
        }
    }

    @Test(
        .enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"),
        arguments: [8, 14, 20, 26]
    ) func lateRowsBetweenCrashAndRestartAreDeliveredOnce(call: Int) throws {
        let original = try Self.filledStore()
        let bed = try Self.copy(of: original)
        bed.faults.arm(call: call, .after)
        bed.task.runOnce()
        #expect(bed.faults.hasFired)
        try bed.restart()
        let late = (0..<50).map { TestBed.reading("late-\($0 % 3)", .seconds(Int64($0)), ["a": .double(Double($0))]) }
        try bed.commit(late)
        try bed.seal()
        while bed.table.partitions()[0].state != .delivered { #expect(bed.task.runOnce().error == .ok) }
        #expect(ExpectedRows(try bed.readAll()) == ExpectedRows(TestBed.noise(Self.rowCount) + late))
        let objects = bed.task.objects(of: bed.table.partitions()[0].id)
        #expect(objects.map(\.sequence) == (0..<UInt64(objects.count)).map { $0 })
        #expect(try bed.files() == objects.map(\.key))
    }

    /// The power fails after step 6: the ledger says delivered, the store does not.
    @Test func theStoreIsToldAgainWhatTheLedgerKnows() throws {
        let original = try Self.filledStore()
        let bed = try Self.copy(of: original)
        let sealed = bed.directory.appendingPathComponent("store")
        let saved = bed.directory.appendingPathComponent("saved")
        try bed.store.close()
        try FileManager.default.copyItem(at: sealed, to: saved)
        try bed.restart()
        bed.task.runOnce()
        let files = try bed.files()
        try bed.store.close()
        try FileManager.default.removeItem(at: sealed)
        try FileManager.default.moveItem(at: saved, to: sealed)
        try bed.restart()
        #expect(bed.table.partitions()[0].state == .sealed)
        #expect(bed.task.runOnce().error == .ok)
        #expect(bed.table.partitions()[0].state == .delivered)
        #expect(try bed.files() == files)
    }
}
