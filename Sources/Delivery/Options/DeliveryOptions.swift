import Telemetry

/// What the operator sets for one delivery; see `[[delivery]]` in configs/gaugehouse.toml.
package struct DeliveryOptions: Sendable {
    package static let nameLengths = 3...16
    /// Below this, objects would be mostly footer.
    package static let leastObjectByteCount = 16 << 10
    package static let compressionLevels: ClosedRange<Int32> = 1...19

    package let name: String
    package let table: String
    /// Delivers a sealed partition this long after its window's end.
    package let age: TimeSpan
    package let prefix: PrefixTemplate
    /// An object that reaches this is closed and the next one begun.
    package let maxObjectByteCount: Int
    /// zstd level.
    package let compressionLevel: Int32
    /// Of the program, for the objects' `created_by`.
    package let version: String
    package let build: String

    /// - Throws: `DeliveryOptionError`, naming the option.
    package init(
        name: String, table: String, age: TimeSpan, prefix: String, maxObjectByteCount: Int = 64 << 20, compressionLevel: Int32 = 3,
        version: String, build: String
    ) throws(DeliveryOptionError) {
        try Self.check(name: name)
        guard age >= .zero else { throw DeliveryOptionError("age", "must not be negative") }
        guard maxObjectByteCount >= Self.leastObjectByteCount else {
            throw DeliveryOptionError("max_object_bytes", "must be at least \(Self.leastObjectByteCount)")
        }
        guard Self.compressionLevels.contains(compressionLevel) else {
            let (least, greatest) = (Self.compressionLevels.lowerBound, Self.compressionLevels.upperBound)
            throw DeliveryOptionError("compression_level", "must be \(least) to \(greatest)")
        }
        self.name = name
        self.table = table
        self.age = age
        self.prefix = try PrefixTemplate(prefix, table: table, task: name)
        self.maxObjectByteCount = maxObjectByteCount
        self.compressionLevel = compressionLevel
        self.version = version
        self.build = build
    }

    private static func check(name: String) throws(DeliveryOptionError) {
        let isAllowed = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        guard nameLengths.contains(name.utf8.count), isAllowed else {
            throw DeliveryOptionError("name", "'\(name)' must be 3 to 16 of a-z, 0-9 and '-'")
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
