import Foundation
import IndependentReaders
import ObjectStorage
import Telemetry
import TelemetryStore
import Testing

@testable import Delivery

@Suite struct DeliveryTaskTests {
    private static let folder = "table=telemetry/year=2025/month=11/day=24/hour=16"
    private static let flatFolder = "table=telemetry_year=2025_month=11_day=24_hour=16"

    private static func key(_ sequence: Int) -> String {
        "\(folder)/archive_0_\(flatFolder)__0000000\(sequence).parquet"
    }

    @Test(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
    func readersFindExactlyWhatWasCommitted() throws {
        let bed = try TestBed()
        var readings = TestBed.noise(3_000)
        readings.append(TestBed.reading("é:/ü", .zero, ["flag": .boolean(true), "raw": .binary([0, 255]), "empty": .string("")]))
        readings.append(TestBed.reading("é:/ü", .seconds(1), ["zero": .double(-0.0), "least": .integer(.min)]))
        try bed.commit(readings)
        try bed.seal()
        let report = bed.task.runOnce()
        #expect(report.error == .ok && report.partitionCount == 1 && report.totals.rowCount == readings.count)
        let files = try bed.readAll()
        #expect(ExpectedRows(files) == ExpectedRows(readings))
        #expect(files[0].columns.map(\.name) == ["device", "time", "a", "b", "c", "d", "empty", "flag", "least", "raw", "zero"])
        #expect(
            files[0].columns.map(\.type) == [
                "string", "timestamp", "double", "double", "int64", "string", "string", "boolean", "int64", "binary", "double",
            ])
        #expect(files[0].keyValues["gaugehouse.task"] == "archive" && files[0].keyValues["gaugehouse.sequence"] == "0")
        #expect(try bed.files() == [Self.key(0)])
    }

    @Test(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
    func fieldsOfSeveralTypesLoseNothing() throws {
        let bed = try TestBed()
        let exact = (Int64(1) << 53)
        let readings = [
            TestBed.reading(
                "d", .seconds(1),
                ["widened": .integer(exact), "split": .integer(exact + 1), "text": .string("on"), "device": .string("x")]),
            TestBed.reading(
                "d", .seconds(2),
                ["widened": .double(0.5), "split": .double(0.5), "text": .boolean(true), "text:string": .integer(1)]),
            TestBed.reading(
                "d", .seconds(3), ["widened": .integer(-exact), "split": .integer(3), "text": .integer(7), "time": .double(1)]),
        ]
        try bed.commit(readings)
        try bed.seal()
        #expect(bed.task.runOnce().error == .ok)
        let file = try #require(try bed.readAll().first)
        let columns = Dictionary(uniqueKeysWithValues: file.columns.map { ($0.name, $0.type) })
        #expect(
            columns == [
                "device": "string", "time": "timestamp", "device:string": "string", "split": "double", "split:integer": "int64",
                "text": "int64", "text:boolean": "boolean", "text:string": "int64", "text:string:2": "string", "time:double": "double",
                "widened": "double",
            ])
        func values(_ name: String) -> [String?] {
            let index = file.columns.firstIndex { $0.name == name }!
            return file.rows.map { $0[index] }
        }
        #expect(values("widened") == [-0x1p53, 0.5, 0x1p53].map { IndependentReaders.text($0) })
        #expect(values("split:integer") == ["i:3", nil, "i:\(exact + 1)"] && values("split")[1] == IndependentReaders.text(0.5))
        #expect(values("text:string:2") == [nil, nil, "s:on"] && values("text:string") == [nil, "i:1", nil])
    }

    @Test(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
    func theBucketOfEachDeviceIsAColumnWhereItIsAskedFor() throws {
        let bed = try TestBed(.init(prefix: "$bucket", buckets: 3, hasBucketColumn: true))
        try bed.commit((0..<9).map { TestBed.reading("d\($0)", .zero, ["v": .integer(1), "bucket": .string("x")]) })
        try bed.seal()
        #expect(bed.task.runOnce().error == .ok)
        let (names, files) = (try bed.files(), try bed.readAll())
        #expect(files.count == 3 && files.reduce(0) { $0 + $1.rows.count } == 9)
        for (name, file) in zip(names, files) {
            #expect(file.columns.map(\.name) == ["device", "time", "bucket", "bucket:string", "v"])
            #expect(Set(file.rows.map { $0[2] }) == ["i:\(name.prefix(1))"])
        }
    }

    @Test func partitionsWaitForTheirAge() throws {
        let bed = try TestBed()
        try bed.commit([TestBed.reading("d", .zero, ["v": .integer(1)])])
        bed.clock.set(to: TestBed.start + .hours(2) + .minutes(59))
        try bed.store.performMaintenance()
        #expect(bed.task.runOnce().partitionCount == 0)
        #expect(bed.table.partitions()[0].state == .sealed && bed.task.status.lag == .zero)
        bed.clock.advance(by: .minutes(1))
        #expect(bed.task.runOnce().partitionCount == 1)
        #expect(bed.table.partitions()[0].state == .delivered)
        #expect(bed.task.runOnce() == DeliveryReport())
        #expect(try bed.files().count == 1)
    }

    @Test func lateRowsBecomeAFurtherObject() throws {
        let bed = try TestBed()
        try bed.commit([TestBed.reading("d", .zero, ["v": .integer(1)])])
        try bed.seal()
        bed.task.runOnce()
        let first = try Data(contentsOf: URL(fileURLWithPath: "\(bed.archive)/\(Self.key(0))"))
        try bed.commit([TestBed.reading("d", .seconds(1), ["v": .integer(2)])])
        try bed.seal()
        #expect(bed.table.partitions()[0].state == .sealed)
        let report = bed.task.runOnce()
        #expect(report.error == .ok && report.totals.rowCount == 1, "\(report)")
        #expect(try bed.files() == [Self.key(0), Self.key(1)])
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(bed.archive)/\(Self.key(0))")) == first)
        let objects = bed.task.objects(of: bed.table.partitions()[0].id)
        try #require(objects.map(\.sequence) == [0, 1])
        #expect(objects[1].minTime == TestBed.start + .seconds(1) && objects[1].maxTime == objects[1].minTime && objects[1].rowCount == 1)
        #expect(bed.table.partitions()[0].state == .delivered)
    }

    @Test func partitionsOfOneFolderShareItsNumbers() throws {
        let bed = try TestBed(prefix: "day=$yyyy-$MM-$dd")
        for hour in [Int64(0), 1] {
            bed.clock.set(to: TestBed.start + .hours(hour))
            try bed.commit([TestBed.reading("d", .hours(hour), ["v": .integer(hour)])])
        }
        bed.clock.set(to: TestBed.start + .hours(5))
        try bed.seal()
        #expect(bed.task.runOnce().partitionCount == 2)
        #expect(try bed.files() == (0...1).map { "day=2025-11-24/archive_0_day=2025-11-24__0000000\($0).parquet" })
    }

    @Test func objectsAreSplitBySizeAndNumberedWithoutGaps() throws {
        let bed = try TestBed(maxObjectByteCount: 16 << 10)
        try bed.commit(TestBed.noise(1_500))
        try bed.seal()
        let report = bed.task.runOnce()
        let objects = bed.task.objects(of: bed.table.partitions()[0].id)
        #expect(objects.count >= 3 && objects.map(\.sequence) == (0..<UInt64(objects.count)).map { $0 })
        #expect(objects.allSatisfy { $0.byteCount <= 20 << 10 })
        #expect(objects.reduce(0) { $0 + $1.rowCount } == 1_500)
        #expect(try bed.files() == objects.map(\.key))
        #expect(report.totals == bed.task.status.totals && bed.task.status.lastObject == objects.last?.key)
    }

    @Test func aRestartKeepsStatusAndObjects() throws {
        let bed = try TestBed()
        try bed.commit([TestBed.reading("d", .zero, ["v": .integer(1)])])
        try bed.seal()
        bed.task.runOnce()
        let (status, objects) = (bed.task.status, bed.task.objects(of: bed.table.partitions()[0].id))
        try bed.restart()
        #expect(bed.task.status == status && bed.task.objects(of: bed.table.partitions()[0].id) == objects)
        #expect(bed.task.runOnce() == DeliveryReport())
    }

    @Test(arguments: [
        (ObjectError.Code.unauthorized, DeliveryErrorCode.unauthorized), (.unreachable, .unreachable), (.noSpace, .noSpace),
        (.invalidDestination, .invalidDestination), (.internal, .internal),
    ]) func aFailingDestinationIsShownAndTriedAgainAfterAPause(code: ObjectError.Code, shown: DeliveryErrorCode) throws {
        let bed = try TestBed()
        bed.task.runOnce()
        try bed.commit([TestBed.reading("d", .zero, ["v": .integer(1)])])
        try bed.seal()
        bed.faults.arm(call: 1, .before, error: code)
        #expect(bed.task.runOnce().error == shown)
        #expect(bed.task.status.activity == .retrying && bed.task.status.error == shown && bed.task.status.detail == "injected")
        #expect(bed.task.status.lag == .hours(1))
        bed.faults.disarm()
        #expect(bed.task.runOnce().error == shown, "within the pause nothing is tried")
        #expect(try bed.files().isEmpty)
        bed.clock.advance(by: .seconds(1))
        #expect(bed.task.runOnce().error == .ok)
        #expect(bed.task.status.error == .ok && bed.task.status.activity == .idle && bed.task.status.lag == .zero)
        #expect(try bed.files() == [Self.key(0)])
    }

    @Test func aFileInPlaceOfTheDirectoryIsAnInvalidDestination() throws {
        let bed = try TestBed()
        try bed.commit([TestBed.reading("d", .zero, ["v": .integer(1)])])
        try bed.seal()
        try Data().write(to: URL(fileURLWithPath: bed.archive))
        let report = bed.task.runOnce()
        #expect(report.error == .invalidDestination && report.detail.contains(bed.archive))
    }

    @Test func aForeignObjectIsLeftAlone() throws {
        let bed = try TestBed()
        try bed.commit([TestBed.reading("d", .zero, ["v": .integer(1)])])
        try bed.seal()
        let path = URL(fileURLWithPath: "\(bed.archive)/\(Self.key(0))")
        try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: path)
        for _ in 0..<2 {
            let report = bed.task.runOnce()
            #expect(report.error == .invalidDestination && report.detail.contains("00000000.parquet"))
            try bed.restart()
        }
        #expect(try Data(contentsOf: path) == Data("mine".utf8))
        #expect(try bed.files() == [Self.key(0)])
        try FileManager.default.removeItem(at: path)
        #expect(bed.task.runOnce().error == .ok)
    }

    @Test func aStopEndsTheRunAndTheNextStartFinishesIt() throws {
        let bed = try TestBed(maxObjectByteCount: 16 << 10)
        try bed.commit(TestBed.noise(1_500))
        try bed.seal()
        bed.task.requestStop()
        #expect(bed.task.runOnce() == DeliveryReport())
        try bed.restart()
        #expect(bed.task.runOnce().totals.rowCount == 1_500)
    }

    @Test func aDamagedLedgerStopsTheDeliveryAndNamesThePlace() throws {
        let bed = try TestBed()
        try bed.commit([TestBed.reading("d", .zero, ["v": .integer(1)])])
        try bed.seal()
        bed.task.runOnce()
        let url = URL(fileURLWithPath: bed.ledgerPath)
        var bytes = try Data(contentsOf: url)
        bytes[40] ^= 1
        try bytes.write(to: url)
        try bed.restart()
        #expect(bed.task.status.error == .internal && bed.task.status.detail.contains("\(bed.ledgerPath): damaged at offset"))
        #expect(bed.task.runOnce().error == .internal)
        #expect(try Data(contentsOf: url) == bytes)
    }

    @Test func unfinishedFilesOfACrashAreRemoved() throws {
        let bed = try TestBed()
        try bed.commit([TestBed.reading("d", .zero, ["v": .integer(1)])])
        try bed.seal()
        let folder = "\(bed.archive)/\(Self.folder)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in [".archive-77.tmp", ".archive-b-1.tmp", ".other-1.tmp"] {
            try Data("torn".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        bed.task.runOnce()
        #expect(try bed.files().filter { $0.hasSuffix(".tmp") } == [".archive-b-1.tmp", ".other-1.tmp"].map { "\(Self.folder)/\($0)" })
    }
}
