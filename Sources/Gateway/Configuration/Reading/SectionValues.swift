import Telemetry

/// The values of one section, each with where it came from.
package struct SectionValues: Sendable {
    package let section: ConfigurationSection
    /// `["store"]`, `["table", "0"]`, `["mqtt", "subscription", "1"]`, `["mqtt", "0", "subscription", "1"]`.
    package let path: [String]
    package let origin: ConfigurationOrigin
    private var written: [String: (value: OptionValue, origin: ConfigurationOrigin)] = [:]

    init(section: ConfigurationSection, path: [String], origin: ConfigurationOrigin) {
        self.section = section
        self.path = path
        self.origin = origin
    }

    mutating func set(_ key: String, to value: OptionValue, at origin: ConfigurationOrigin) { written[key] = (value, origin) }

    /// As another section has it, its origin included.
    mutating func take(_ key: String, from other: SectionValues) { written[key] = other.written[key] }

    /// Where the value of `key` came from.
    package func origin(of key: String) -> ConfigurationOrigin { written[key]?.origin ?? .builtIn }

    /// Whether somebody has written another value than the default.
    func isChanged(_ key: String) -> Bool { written[key].map { $0.value != section.option(key)?.defaultValue } ?? false }

    /// For messages about a key: where it stands, else where its section does.
    func place(of key: String) -> ConfigurationOrigin { written[key]?.origin ?? origin }

    /// What was written, else the default. `key` must be one of the section's.
    package subscript(key: String) -> OptionValue {
        if let value = written[key]?.value { return value }
        guard let option = section.option(key) else { preconditionFailure("no option \(key) in [\(section.name)]") }
        return option.defaultValue
    }

    func text(_ key: String) -> String {
        guard case .text(let value) = self[key] else { preconditionFailure("\(key) is no text") }
        return value
    }

    /// Nil for the empty text, which stands for "none".
    func given(_ key: String) -> String? { text(key).isEmpty ? nil : text(key) }

    func boolean(_ key: String) -> Bool {
        guard case .boolean(let value) = self[key] else { preconditionFailure("\(key) is no boolean") }
        return value
    }

    func duration(_ key: String) -> TimeSpan {
        guard case .duration(let value) = self[key] else { preconditionFailure("\(key) is no duration") }
        return value
    }

    func list(_ key: String) -> [String] {
        guard case .list(let values) = self[key] else { preconditionFailure("\(key) is no list") }
        return values
    }

    /// An integer or a number of bytes.
    func count(_ key: String) -> Int {
        switch self[key] {
        case .integer(let value), .byteCount(let value): return value
        default: preconditionFailure("\(key) is no number")
        }
    }
}
