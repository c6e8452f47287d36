import Parquet

/// A statement that makes a table, or a view, of a task's objects in a query engine.
struct TableStatement {
    /// A column, as the engine is to be told of it.
    struct Column: Equatable {
        var name: String
        var type: ParquetType
    }

    /// Of the store: what the table is called.
    let table: String
    let task: String
    /// Where objects are: a directory (absolute) or `s3://bucket/prefix`, without `/` at the end.
    let location: String
    let prefix: PrefixTemplate
    /// Of the objects; only engines that do not find them need them.
    let columns: [Column]

    /// - Throws: `DeliveryRefusal.conflict` when the engine cannot have these folders.
    func text(for engine: TableEngine) throws(DeliveryRefusal) -> String {
        switch engine {
        case .duckdb: return duckdb
        case .spark: return spark
        case .trino: return try trino()
        case .hive: return try hive()
        }
    }

    private var isS3: Bool { location.hasPrefix("s3://") }

    // MARK: - Engines that find the columns

    private var duckdb: String {
        let secret =
            """
            INSTALL httpfs; LOAD httpfs;
            -- Fill in what reaches the bucket; ENDPOINT (host:port), URL_STYLE 'path' and USE_SSL are for servers other than AWS.
            CREATE SECRET IF NOT EXISTS \(SQLText.doubleQuoted("gaugehouse_" + task)) (
                TYPE s3, SCOPE \(SQLText.string(location)), KEY_ID '...', SECRET '...', REGION 'us-east-1');

            """
        return (isS3 ? secret : "")
            + """
            CREATE OR REPLACE VIEW \(SQLText.doubleQuoted(table)) AS
            SELECT * FROM read_parquet(
                \(SQLText.string("\(location)/**/\(task)_*.parquet")),
                hive_partitioning = \(hasHiveFolders), union_by_name = true);

            """
    }

    private var spark: String {
        var options = [
            ("path", isS3 ? "s3a" + location.dropFirst(2) : "file://" + location), ("mergeSchema", "true"),
            ("pathGlobFilter", "\(task)_*.parquet"),
        ]
        // Of folders that are no Hive partitions, Spark reads the top one only.
        if !hasHiveFolders, !prefix.parts.isEmpty { options.append(("recursiveFileLookup", "true")) }
        return """
            CREATE OR REPLACE TEMPORARY VIEW \(SQLText.backquoted(table)) USING parquet OPTIONS (
            \(options.map { "    \($0.0) \(SQLText.sparkString($0.1))" }.joined(separator: ",\n"))
            );

            """
    }

    // MARK: - Engines that are told the columns

    private func trino() throws(DeliveryRefusal) -> String {
        let partitions = try hiveColumns(.trino)
        let lines =
            columns.map { "    \(SQLText.doubleQuoted($0.name)) \($0.type.trino)" }
            + partitions.map { "    \(SQLText.doubleQuoted($0)) varchar" }
        var properties = ["format = 'PARQUET'", "external_location = \(SQLText.string(url))"]
        if !partitions.isEmpty {
            properties.append("partitioned_by = ARRAY[\(partitions.map { SQLText.string($0) }.joined(separator: ", "))]")
        }
        // The procedure takes names as texts.
        let sync = "CALL system.sync_partition_metadata(CURRENT_SCHEMA, \(SQLText.string(table)), 'ADD');\n"
        return """
            -- In a schema of Trino's Hive connector, with hive.parquet.use-column-names = true (the default).
            CREATE TABLE IF NOT EXISTS \(SQLText.doubleQuoted(table)) (
            \(lines.joined(separator: ",\n"))
            ) WITH (\(properties.joined(separator: ", ")));
            \(partitions.isEmpty ? "" : sync)
            """
    }

    private func hive() throws(DeliveryRefusal) -> String {
        let partitions = try hiveColumns(.hive)
        let lines = columns.map { "    \(SQLText.backquoted($0.name)) \($0.type.hive)" }
        let partitioned = partitions.map { "\(SQLText.backquoted($0)) string" }.joined(separator: ", ")
        return """
            -- Hive 4: older ones do not read times that are INT64.
            CREATE EXTERNAL TABLE IF NOT EXISTS \(SQLText.backquoted(table)) (
            \(lines.joined(separator: ",\n"))
            )\(partitions.isEmpty ? "" : "\nPARTITIONED BY (\(partitioned))")
            STORED AS PARQUET
            LOCATION \(SQLText.sparkString(isS3 ? "s3a" + location.dropFirst(2) : url));
            \(partitions.isEmpty ? "" : "MSCK REPAIR TABLE \(SQLText.backquoted(table));\n")
            """
    }

    private var url: String { isS3 ? location : "file://" + location }

    // MARK: - Folders

    private var folders: [Substring] { prefix.text.split(separator: "/") }

    private var hasHiveFolders: Bool { !folders.isEmpty && folders.allSatisfy { Self.hiveName($0) != nil } }

    /// Names of the columns that the folders make.
    private func hiveColumns(_ engine: TableEngine) throws(DeliveryRefusal) -> [String] {
        guard folders.isEmpty || hasHiveFolders else {
            throw .conflict("\(engine.rawValue) needs folders of the form name=value; the prefix is \(prefix.text)")
        }
        let names = folders.compactMap(Self.hiveName)
        if let taken = names.first(where: { name in columns.contains { $0.name == name } }) {
            throw .conflict("a field and a folder of the prefix are both called \(taken), which \(engine.rawValue) cannot have")
        }
        return names
    }

    /// `year` of `year=$yyyy`.
    private static func hiveName(_ folder: Substring) -> String? {
        guard let sign = folder.firstIndex(of: "="), sign != folder.startIndex, !folder[..<sign].contains("$") else { return nil }
        return String(folder[..<sign])
    }
}

extension ParquetType {
    fileprivate var trino: String {
        switch self {
        case .int64: "bigint"
        case .double: "double"
        case .boolean: "boolean"
        case .string: "varchar"
        case .binary: "varbinary"
        case .timestampMicrosUTC: "timestamp(6)"
        }
    }

    fileprivate var hive: String {
        switch self {
        case .int64: "bigint"
        case .double: "double"
        case .boolean: "boolean"
        case .string: "string"
        case .binary: "binary"
        case .timestampMicrosUTC: "timestamp"
        }
    }
}
