import Telemetry

/// What the operator sets for one delivery; see `[[delivery]]` in configs/gaugehouse.toml.
package struct DeliveryOptions: Sendable {
    package static let nameLengths = 3...16
    /// Below this, objects would be mostly footer.
    package static let leastObjectByteCount = 16 << 10
    package static let compressionLevels: ClosedRange<Int32> = 1...19

    package let name: String
    package let table: String
    package var mode = DeliveryMode.aged
    /// Mode `aged`: delivers a sealed partition this long after its window's end.
    package var age = TimeSpan.hours(2)
    package let prefix: PrefixTemplate
    package var prefixTime = PrefixTime.reading
    /// An object that reaches this is closed and the next one begun.
    package let maxObjectByteCount: Int
    /// Modes that follow writes: rows wait at most this long for company.
    package var maxObjectAge = TimeSpan.minutes(2)
    /// zstd level.
    package let compressionLevel: Int32
    /// PLAIN for every column, for readers that know nothing else.
    package var isPlain = false
    /// A column with the number of the device's bucket.
    package var hasBucketColumn = false
    /// Of the program, for the objects' `created_by`.
    package let version: String
    package let build: String

    /// - Throws: `DeliveryOptionError`, naming the option.
    package init(
        name: String, table: String, prefix: String, maxObjectByteCount: Int = 64 << 20, compressionLevel: Int32 = 3, version: String,
        build: String
    ) throws(DeliveryOptionError) {
        try Self.check(name: name)
        guard maxObjectByteCount >= Self.leastObjectByteCount else {
            throw DeliveryOptionError("max_object_bytes", "must be at least \(Self.leastObjectByteCount)")
        }
        guard Self.compressionLevels.contains(compressionLevel) else {
            let (least, greatest) = (Self.compressionLevels.lowerBound, Self.compressionLevels.upperBound)
            throw DeliveryOptionError("compression_level", "must be \(least) to \(greatest)")
        }
        self.name = name
        self.table = table
        self.prefix = try PrefixTemplate(prefix, table: table, task: name)
        self.maxObjectByteCount = maxObjectByteCount
        self.compressionLevel = compressionLevel
        self.version = version
        self.build = build
    }

    /// - Throws: `DeliveryOptionError` when the prefix would cut the table's partitions into too many folders.
    package func checkPrefix(partitionLength: TimeSpan, buckets: Int) throws(DeliveryOptionError) {
        guard prefixTime == .reading else { return }
        let count = FolderSlices.count(prefix, partitionLength: partitionLength, buckets: buckets)
        guard count <= FolderSlices.limit else {
            throw DeliveryOptionError(
                "prefix",
                "would cut each partition into \(count) folders; \(FolderSlices.limit) are possible: leave out the finest variable")
        }
    }

    private static func check(name: String) throws(DeliveryOptionError) {
        let isAllowed = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        guard nameLengths.contains(name.utf8.count), isAllowed, !name.hasPrefix("-"), !name.hasSuffix("-") else {
            throw DeliveryOptionError("name", "'\(name)' must be 3 to 16 of a-z, 0-9 and '-', and begin and end with one of the first")
        }
    }
}

/// An option that cannot be used: its key in the configuration, and why.
package struct DeliveryOptionError: Error, Sendable, Equatable, CustomStringConvertible {
    package let option: String
    package let reason: String

    package init(_ option: String, _ reason: String) {
        self.option = option
        self.reason = reason
    }

    package var description: String { "\(option): \(reason)" }
}
