import Telemetry

/// Rows of one device in a time range.
package struct RangeQuery: Sendable {
    package enum Order: String, Sendable { case descending = "desc", ascending = "asc" }

    package var device: String
    /// Inclusive.
    package var start: Timestamp
    /// Exclusive.
    package var end: Timestamp
    /// Nil: every field the device ever had, by name. Otherwise these, in this order.
    package var fields: [String]?
    package var order: Order = .descending
    /// Rows of a page (1...100 000). It has fewer when their strings and binaries reach `RangePage.byteLimit`.
    package var limit = 1_000
    /// Continues behind this row (exclusive), in `order`.
    package var after: Timestamp?
    /// Above 1, `RangePage.versions` is filled.
    package var versions = 1
    /// Rows that are wanted, judged by their newest values; nil: all.
    package var condition: RowCondition?
    /// Rows looked at by one call at most; what it then answers may be short or empty, and more may follow.
    package var scanLimit = Int.max
    /// What would have to wait for a disk is not answered, but `.notInMemory`; nor is what lies in many windows.
    package var isFromMemory = false

    package init(device: String, start: Timestamp, end: Timestamp) {
        self.device = device
        self.start = start
        self.end = end
    }
}

package struct RangePage: Sendable {
    package struct Column: Sendable, Equatable {
        package var name: String
        /// Nil: no value yet in this page. Integer and double together are `double`; other mixtures are `isMixed`.
        package var type: FieldType?
        package var isMixed = false

        package init(name: String, type: FieldType?) {
            self.name = name
            self.type = type
        }
    }

    /// Versions of every cell, newest first, when more than one was asked for.
    package struct Versions: Sendable {
        /// Row-major; cell i owns `offsets[i]..<offsets[i + 1]` of `cells` and `times`.
        package var offsets: [Int] = [0]
        package var cells: [Cell] = []
        /// Commit time of each version.
        package var times: [Timestamp] = []
    }

    /// Bytes of strings and binaries after which a page ends: thousands of rows of text, some of waveforms.
    package static let byteLimit = 8 << 20

    package var columns: [Column]
    package var times: [Timestamp] = []
    /// Row-major, `times.count × columns.count`, the newest version of each.
    package var cells: [Cell] = []
    /// Arena of string and binary cells.
    package var bytes: [UInt8] = []
    package var versions: Versions?
    /// More rows may follow: ask again with `after` set to this. Absent is the only end signal.
    package var nextAfter: Timestamp?

    package init(columns: [Column]) { self.columns = columns }
}
