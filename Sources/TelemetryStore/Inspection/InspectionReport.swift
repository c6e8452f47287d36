import Telemetry

/// What an inspection of a store found, and what is in the store.
package struct InspectionReport: Sendable {
    package struct Log: Sendable, Equatable {
        package var fileCount = 0
        package var recordCount = 0
        package var readingCount = 0
        package var byteCount = 0
        /// Sequence numbers of the first reading that the log has and of the newest; nil when it has none.
        package var firstSequence: UInt64?
        package var lastSequence: UInt64?
    }

    package struct Table: Sendable {
        package var name: String
        package var partitions: [PartitionState: Int] = [:]
        package var segmentCount = 0
        /// Stored `(device, time)` pairs in live segments.
        package var rowCount = 0
        /// Readings that only the log holds, duplicates and versions among them.
        package var loggedRowCount = 0
        /// Of live segments.
        package var byteCount = 0
        package var deviceCount = 0
        package var fieldCount = 0
        /// Nil unless asked for.
        package var usage: TableUsage?
    }

    package var findings: [Finding] = []
    package var tables: [Table] = []
    package var log = Log()
    package var checkpointByteCount = 0

    package init() {}

    package var isSound: Bool { !findings.contains { $0.severity == .damage } }
}

/// What the live segments of a table spend their bytes on.
package struct TableUsage: Sendable {
    /// All values of one field and type. A field that changed its type has several.
    package struct Column: Sendable {
        package var field: String
        package var type: FieldType
        package var valueCount = 0
        package var byteCount = 0
        /// Bytes by name of the encoding; empty where it is not known.
        package var encodings: [String: Int] = [:]
    }

    /// Physical rows: versions count.
    package var rowCount = 0
    package var timeByteCount = 0
    package var commitTimeByteCount = 0
    package var statisticsByteCount = 0
    /// Index pages and sparse indexes.
    package var indexByteCount = 0
    /// Headers and footers.
    package var frameByteCount = 0
    package var columns: [Column] = []
    /// True when a segment of version 1 is among them: there columns are compressed together, and each is counted with its share of
    /// the raw bytes.
    package var isEstimated = false

    package var byteCount: Int {
        timeByteCount + commitTimeByteCount + statisticsByteCount + indexByteCount + frameByteCount
            + columns.reduce(0) { $0 + $1.byteCount }
    }
}
