import ObjectStorage
import Parquet
import Telemetry
import TelemetryStore
import Testing

@testable import Delivery

@Suite struct StatementTests {
    private static let hive = "table=$table/year=$yyyy/hour=$HH"

    private func statement(
        _ engine: TableEngine, prefix: String = StatementTests.hive, location: String = "/data/arch'ive", table: String = "te\"le`me"
    ) throws(DeliveryRefusal) -> String {
        let template: PrefixTemplate
        do throws(DeliveryOptionError) {
            template = try PrefixTemplate(prefix, table: "t", task: "archive")
        } catch {
            throw .invalid(error)
        }
        return try TableStatement(
            table: table, task: "archive", location: location, prefix: template,
            columns: [
                .init(name: "device", type: .string), .init(name: "time", type: .timestampMicrosUTC), .init(name: "a\"b`c", type: .double),
                .init(name: "n", type: .int64), .init(name: "on", type: .boolean), .init(name: "raw", type: .binary),
            ]
        ).text(for: engine)
    }

    @Test func namesAndTextsAreQuoted() throws {
        let duckdb = try statement(.duckdb)
        #expect(duckdb.contains("VIEW \"te\"\"le`me\" AS") && duckdb.contains("'/data/arch''ive/**/archive_*.parquet'"))
        #expect(duckdb.contains("hive_partitioning = true, union_by_name = true"))
        let spark = try statement(.spark)
        #expect(spark.contains("VIEW `te\"le``me` USING parquet") && spark.contains("path 'file:///data/arch\\'ive'"))
    }

    @Test func enginesThatAreToldGetColumnsAndPartitions() throws {
        let trino = try statement(.trino, location: "s3://bucket/p")
        #expect(trino.contains("    \"a\"\"b`c\" double,\n    \"n\" bigint,\n    \"on\" boolean,\n"))
        #expect(trino.contains("    \"raw\" varbinary,\n    \"table\" varchar"))
        #expect(trino.contains("external_location = 's3://bucket/p', partitioned_by = ARRAY['table', 'year', 'hour']"))
        let hive = try statement(.hive, location: "s3://bucket/p")
        #expect(hive.contains("    `a\"b``c` double,") && hive.contains("PARTITIONED BY (`table` string, `year` string, `hour` string)"))
        #expect(hive.contains("LOCATION 's3a://bucket/p';\nMSCK REPAIR TABLE `te\"le``me`;"))
    }

    @Test func foldersThatAreNoPartitionsAreToldOrRefused() throws {
        #expect(try statement(.duckdb, prefix: "$yyyy/$MM").contains("hive_partitioning = false"))
        #expect(try statement(.spark, prefix: "$yyyy/$MM").contains("recursiveFileLookup 'true'"))
        #expect(try !statement(.spark, prefix: "").contains("recursiveFileLookup"))
        #expect(throws: DeliveryRefusal.conflict("trino needs folders of the form name=value; the prefix is $yyyy/$MM")) {
            try statement(.trino, prefix: "$yyyy/$MM")
        }
        #expect(try !statement(.hive, prefix: "").contains("PARTITIONED"))
        #expect(throws: DeliveryRefusal.self) { try statement(.hive, prefix: "n=$yyyy") }
    }

    @Test func columnsAreThoseOfAllNewObjectsInTypesThatHoldThem() throws {
        let bed = try TestBed()
        try bed.commit([TestBed.reading("d", .zero, ["a": .integer(1), "b": .string("x"), "same": .double(0.5)])])
        try bed.seal()
        bed.task.runOnce()
        try bed.commit([TestBed.reading("d", .seconds(1), ["a": .double(1.5), "b": .boolean(true), "new": .integer(2)])])
        try bed.seal()
        bed.task.runOnce()
        let objects = bed.task.objects(of: bed.table.partitions()[0].id)
        let local = try LocalDirectoryDestination(url: "file://\(bed.archive)")
        let columns = try ObjectColumns(destination: local).columns(of: objects)
        #expect(
            Dictionary(uniqueKeysWithValues: columns.map { ($0.name, $0.type) }) == [
                "device": .string, "time": .timestampMicrosUTC, "a": .double, "b": .string, "same": .double, "new": .int64,
            ])
        #expect(columns.prefix(2).map(\.name) == ["device", "time"])
    }
}
