import Foundation
import IndependentReaders
import Telemetry
import TelemetryStore
import Testing

@testable import Delivery

/// Every row lands in the folder that speaks of it.
@Suite struct FolderTests {
    private static let hour = TimeSpan.hours(1).microseconds

    private func slices(_ prefix: String, hours: Range<Int64>, buckets: Int = 16) throws -> [FolderSlice] {
        let (start, end) = (TestBed.start + .hours(hours.lowerBound), TestBed.start + .hours(hours.upperBound))
        let template = try PrefixTemplate(prefix, table: "t", task: "abc")
        let settled = FolderSlices.settled(template, start: start, end: end, buckets: buckets)
        return FolderSlices.slices(of: try PrefixTemplate(text: settled.text), start: start, end: end, buckets: buckets)
    }

    @Test func aPrefixAsCoarseAsThePartitionNeedsNoCut() throws {
        #expect(try slices("$table/$yyyy-$MM-$dd/$HH", hours: 0..<1) == [FolderSlice(folder: "t/2025-11-24/16")])
        #expect(try slices("$yyyy-$MM-$dd", hours: 0..<3) == [FolderSlice(folder: "2025-11-24")])
        #expect(try slices("", hours: 0..<3) == [FolderSlice(folder: "")])
        #expect(try slices("b=$bucket", hours: 0..<1, buckets: 1) == [FolderSlice(folder: "b=0")])
    }

    @Test func finerPrefixesCutAtTheirUnits() throws {
        let hours = try slices("$dd/$HH", hours: 6..<10)
        #expect(hours.map(\.folder) == ["24/22", "24/23", "25/00", "25/01"])
        #expect(hours[2].times == (TestBed.start + .hours(8))..<(TestBed.start + .hours(9)))
        #expect(try slices("$MM", hours: 0..<24 * 10).map(\.folder) == ["11", "12"])
        #expect(try slices("$yyyy", hours: 0..<24 * 400).map(\.folder) == ["2025", "2026"])
        let minutes = try slices("$HH$mm", hours: 0..<1)
        #expect(minutes.count == 60 && minutes[59].folder == "1659")
        let buckets = try slices("$HH/$bucket", hours: 0..<2, buckets: 3)
        #expect(buckets.map(\.folder) == ["16/0", "16/1", "16/2", "17/0", "17/1", "17/2"] && buckets[4].bucket == 1)
    }

    @Test func slicesCoverThePartitionWithoutGaps() throws {
        for (prefix, hours) in [("$mm", Int64(2)), ("$HH", 25), ("$dd", 24 * 31), ("$MM", 24 * 31)] {
            let times = try slices(prefix, hours: 3..<3 + hours).compactMap(\.times)
            #expect(times.first?.lowerBound == TestBed.start + .hours(3) && times.last?.upperBound == TestBed.start + .hours(3 + hours))
            for (a, b) in zip(times, times.dropFirst()) { #expect(a.upperBound == b.lowerBound) }
        }
    }

    @Test func tooManyFoldersAreRefusedWithTheirNumber() throws {
        let options = try DeliveryOptions(name: "abc", table: "t", prefix: "$HH$mm/$bucket", version: "1", build: "b")
        try options.checkPrefix(partitionLength: .hours(1), buckets: 16)
        let error = #expect(throws: DeliveryOptionError.self) { try options.checkPrefix(partitionLength: .days(31), buckets: 16) }
        #expect(error?.reason.contains("714256 folders; 10000 are possible") == true)
    }

    /// A partition of a day under a prefix of hours and buckets: read back, each folder holds its rows, all of them once.
    @Test(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
    func rowsOfADayLandInTheFoldersOfTheirHoursAndBuckets() throws {
        let bed = try TestBed(.init(prefix: "day=$dd/hour=$HH/bucket=$bucket", partitionLength: .days(1), buckets: 3))
        let readings = (0..<600).map { index in
            TestBed.reading("d\(index % 7)", .seconds(Int64(index) * 60 - 3_600 * 16), ["v": .integer(Int64(index))])
        }
        try bed.commit(readings)
        bed.clock.set(to: TestBed.start + .days(2))
        #expect(try bed.pass().error == .ok)
        let files = try bed.files()
        let contents = try bed.readAll()
        #expect(ExpectedRows(contents) == ExpectedRows(readings))
        for (file, content) in zip(files, contents) {
            let hours = Set(content.rows.map { row in Int(row[1]!.dropFirst(2))! / 3_600_000_000 % 24 })
            #expect(hours.count == 1 && file.hasPrefix("day=24/hour=\(hours.first! < 10 ? "0" : "")\(hours.first!)/bucket="), "\(file)")
            #expect(file.hasSuffix("__00000000.parquet"))
        }
        // 7 devices in 3 buckets, 10 hours.
        #expect(files.count == 30)
        let manifest = try #require(try bed.manifests().first)
        #expect(manifest == "_manifests/archive/20251124T000000Z/manifest.json")
    }

    @Test func foldersOfWriteTimeSpeakOfWhenTheTaskTookTheRows() throws {
        let bed = try TestBed(.init(mode: .incremental, prefix: "day=$dd/hour=$HH", prefixTime: .write, partitionLength: .days(1)))
        bed.task.runOnce()
        try bed.commit([TestBed.reading("d", .hours(-8), ["v": .integer(1)])])
        bed.clock.advance(by: .minutes(2))
        try bed.pass()
        #expect(try bed.files() == ["day=24/hour=16/archive_0_day=24_hour=16__00000000.parquet"])
    }
}
