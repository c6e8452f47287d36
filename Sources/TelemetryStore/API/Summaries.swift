import Telemetry

/// A field of a table or a device: its name and the type of its newest value.
package struct FieldSummary: Sendable, Equatable {
    package var name: String
    package var type: FieldType
    /// Time of the newest value; nil in a table's summary.
    package var time: Timestamp?
}

package struct TableSummary: Sendable {
    package var options: TableOptions
    package var deviceCount: Int
    /// Readings committed since the start, duplicates included.
    package var readingCount: Int
    /// Stored `(device, time)` pairs, exact.
    package var rowCount: Int
    /// Bytes in segments and heads.
    package var byteCount: Int
    /// Start of the oldest partition's window and newest reading's time; nil when empty.
    package var oldest: Timestamp?
    package var newest: Timestamp?
    package var fields: [FieldSummary]
}

/// Whether a device can be heard.
package enum DeviceState: String, Sendable, CaseIterable {
    /// Heard within the table's `stale_after`.
    case online
    /// Silent for longer.
    case stale
    /// Its last will or its death said so, and it was not heard since.
    case offline
}

package struct DeviceSummary: Sendable, Equatable {
    package var id: String
    /// Commit time of the device's first and newest stored reading.
    package var firstSeen: Timestamp
    package var lastSeen: Timestamp
    package var state: DeviceState
    /// Readings ever stored, duplicates not counted.
    package var readingCount: Int
}

package struct DeviceDetail: Sendable {
    package var summary: DeviceSummary
    package var fields: [FieldSummary]
}

/// The newest value of each field of one device, each with its own time.
package struct LatestReading: Sendable {
    package struct Entry: Sendable {
        package var field: String
        package var cell: Cell
        package var time: Timestamp
    }

    package var device: String
    /// The newest of the entries' times; nil without entries.
    package var time: Timestamp?
    package var entries: [Entry]
    /// Arena of the entries' string and binary cells.
    package var bytes: [UInt8]
}

/// On disk (ledger and API): never renumber.
package enum PartitionState: String, Sendable, CaseIterable {
    case open, sealed, delivering, delivered, dropped
}

package struct PartitionSummary: Sendable {
    package var table: String
    package var id: PartitionID
    package var start: Timestamp
    package var end: Timestamp
    package var state: PartitionState
    /// Stored `(device, time)` pairs, exact.
    package var rowCount: Int
    package var byteCount: Int
    package var segmentCount: Int
}

/// A table's time window, by the window's number: start = number × partition length.
package struct PartitionID: Hashable, Comparable, Sendable {
    package var window: Int64
    package init(window: Int64) { self.window = window }
    package static func < (a: PartitionID, b: PartitionID) -> Bool { a.window < b.window }
}

package struct StoreStatistics: Sendable {
    package var sequence: SequenceNumber = 0
    package var readings = 0
    package var duplicates = 0
    package var commits = 0
    /// Commits that wait to be on disk.
    package var commitsInHand = 0
    package var groups = 0
    package var rejected: [RejectReason: Int] = [:]
    package var logByteCount = 0
    package var headByteCount = 0
    package var segmentByteCount = 0
    package var flushes = 0
    package var seals = 0
    package var droppedPartitions = 0
    /// Readings that gave a field of their device another type than before, integers and doubles being one.
    package var typeChanges = 0
    /// Sum and maximum of the group's write + sync times since start.
    package var syncNanoseconds = 0
    package var maxSyncNanoseconds = 0
}
