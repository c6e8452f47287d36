/// Query engines that a statement can be had for.
package enum TableEngine: String, Sendable, CaseIterable {
    case duckdb
    case spark
    case trino
    case hive

    /// Reads its columns and types from the objects, and folders of any form.
    var findsColumns: Bool { self == .duckdb || self == .spark }
}
