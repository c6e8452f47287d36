import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// Versions of one time that lie in two pieces of a segment: the newer as the last row of one, the older as the first of the next.
@Suite("Versions across pieces")
struct PieceBoundaryTests {
    private let now = Bench.start

    /// Seventeen rows of 64 KiB, of which a piece takes sixteen: one row alone, then eight times with two versions each.
    private func bigRows() throws -> Bench {
        let bench = try Bench { table, store in
            table.maxVersions = 2
            store.logFileByteCount = 4 << 20
        }
        for version in 1...2 {
            for second in 0..<8 { try bench.commit(big(second, version)) }
        }
        try bench.commit(big(8, 2))
        try bench.flush()
        let segment = bench.table.core.lock.reading { bench.table.core.partitions.values.first!.segments[0] }
        let pieces = try SegmentCursor(segment).current?.entry.pieces ?? []
        try #require(pieces.map(\.rowCount) == [16, 1])
        try #require(pieces[0].minTime == pieces[1].maxTime)
        return bench
    }

    private func big(_ second: Int, _ version: Int) -> Reading {
        let bytes = [UInt8](repeating: UInt8(version), count: 65_536)
        return reading("d", now + .seconds(Int64(second)), ["bytes": .binary(bytes), "version": .integer(Int64(version))])
    }

    /// The versions of each time, oldest time first.
    private func versions(_ bench: Bench) throws -> [[Int64]] {
        var query = RangeQuery(device: "d", start: .distantPast, end: .distantFuture)
        (query.fields, query.versions, query.order) = (["version"], 2, .ascending)
        let page = try #require(try bench.table.range(query))
        let versions = try #require(page.versions)
        return page.times.indices.map { versions.cells[versions.offsets[$0]..<versions.offsets[$0 + 1]].map(\.integer) }
    }

    @Test("a range shows them newest first")
    func range() throws {
        let bench = try bigRows()
        #expect(try versions(bench) == Array(repeating: [2, 1], count: 8) + [[2]])
        #expect(try bench.rows("d").cells.compactMap { $0.type == .integer ? $0.integer : nil } == Array(repeating: 2, count: 9))
    }

    @Test("an aggregate counts the newest")
    func aggregate() throws {
        let bench = try bigRows()
        var query = AggregateQuery(device: "d", start: now, end: now + .seconds(9), step: .minutes(1))
        (query.fields, query.functions) = (["version"], [.sum, .min, .count, .first])
        let page = try #require(try bench.table.aggregate(query))
        #expect(page.cells == [.integer(18), .integer(2), .integer(9), .integer(2)])
    }

    @Test("a delivery hands out the newest")
    func delivery() throws {
        let bench = try bigRows()
        let scan = try bench.table.scan(bench.table.partitions()[0].id, after: 0, through: 1_000)
        let column = try #require(scan.fields.firstIndex { $0.name == "version" })
        var delivered: [Int64] = []
        while let chunk = try scan.next() {
            delivered += chunk.times.indices.map { chunk.cells[$0 * scan.fields.count + column].integer }
        }
        #expect(delivered == Array(repeating: 2, count: 9))
    }

    @Test("the newest, sent again, is a duplicate")
    func redelivery() throws {
        let bench = try bigRows()
        #expect(try bench.commit(big(0, 2)).duplicates == 1)
    }

    @Test("a merge keeps the newest and lets the oldest go")
    func merge() throws {
        let bench = try bigRows()
        try bench.commit(reading("d", now, ["version": .integer(3)]))
        try bench.seal()
        #expect(try versions(bench) == [[3, 2]] + Array(repeating: [2, 1], count: 7) + [[2]])
    }

    @Test("pieces of many small rows are no other")
    func manyRows() throws {
        let bench = try Bench { table, store in
            (table.maxVersions, table.partitionLength) = (2, .days(1))
            store.logFileByteCount = 4 << 20
        }
        var batch = ReadingBatch()
        for version in 1...2 {
            for second in 0..<2_100 { batch.append(reading("d", now - .seconds(Int64(second)), ["version": .integer(Int64(version))])) }
        }
        batch.append(reading("d", now + .seconds(1), ["version": .integer(2)]))
        _ = try bench.store.commit(&batch)
        try bench.flush()
        #expect(try versions(bench).allSatisfy { $0.first == 2 })
    }

    @Test("blocks of version 1 are no other")
    func blocks() throws {
        var page = RawBuffer()
        page.append(varint: 1)
        page.append(varint: 1)
        FrameReference(offset: 16, compressedByteCount: 10, rawByteCount: 100, checksum: 0).encode(into: &page)
        page.append(fixed: UInt32(0))
        page.append(varint: 3)
        Array("d".utf8).withUnsafeBytes { page.append(counted: $0) }
        for value in [7, 7, 2] { page.append(varint: value) }
        for (offset, rowCount) in [(0, 5), (50, 2)] {
            for value in [0, offset, 50, rowCount] { page.append(varint: value) }
            page.append(zigzag: 1_000)
            page.append(varint: 0)
        }
        let entry = try page.withBytes { try BlockIndexPage($0).entry(0).entry }
        let orders = entry.pieces.flatMap { piece in (0..<piece.rowCount).map { piece.order(of: $0, rank: 9) } }
        #expect(orders.map { $0 >> 32 } == Array(repeating: 9, count: 7))
        #expect(zip(orders, orders.dropFirst()).allSatisfy { $0 > $1 }, "\(orders)")
    }
}
