import Foundation

/// The configuration in force as JSON, with where each value came from unless it is the default.
///
/// No secret can be in it: secrets stand in files of their own, and only the names of those files are options.
package struct EffectiveConfiguration: Sendable {
    package let json: String
    private let sections: [SectionValues]
    /// Every option that no reload takes over, by its path.
    private let fixed: [String: OptionValue]

    /// - Parameter waiting: options by their paths that differ in what was read last, and what they are there; nil: they are gone.
    init(_ sections: [SectionValues], waiting: [String: OptionValue?] = [:]) {
        var fixed: [String: OptionValue] = [:]
        var root: [String: Any] = [:]
        var origins: [String: String] = [:]
        for values in sections.sorted(by: { Self.isBefore($0.path, $1.path) }) {
            var object: [String: Any] = [:]
            for option in values.section.options {
                object[option.key] = values[option.key].plain
                if !option.reloads { fixed[(values.path + [option.key]).joined(separator: ".")] = values[option.key] }
                let origin = values.origin(of: option.key)
                if origin != .builtIn { origins[(values.path + [option.key]).joined(separator: ".")] = origin.name }
            }
            Self.insert(object, at: values.path[...], into: &root)
        }
        root["origins"] = origins
        root["waiting_for_restart"] = waiting.mapValues { $0?.plain ?? NSNull() }
        self.sections = sections
        self.fixed = fixed
        json = Self.text(of: root)
    }

    /// Paths of options that differ from `other` and wait for the next start.
    package func restartNeeded(since other: EffectiveConfiguration) -> [String] {
        Set(fixed.keys).union(other.fixed.keys).filter { fixed[$0] != other.fixed[$0] }.sorted()
    }

    /// What holds after a reload, of a gateway that was started with this one: options that reload as `next` has them, the others as they
    /// were. Tables and deliveries are known by their names; new ones wait, and those that `next` leaves out stay.
    func inForce(after next: EffectiveConfiguration) -> EffectiveConfiguration {
        var result = next.sections.filter(\.section.reloads)
        for started in sections where !started.section.reloads {
            var values = started
            if let other = next.sections.first(where: { $0.isSame(as: started) }) {
                for option in started.section.options where option.reloads { values.take(option.key, from: other) }
            }
            result.append(values)
        }
        let waiting = next.restartNeeded(since: self).map { path in (path, next.fixed[path]) }
        return EffectiveConfiguration(result, waiting: Dictionary(uniqueKeysWithValues: waiting))
    }

    /// Elements of lists in the order of their numbers.
    private static func isBefore(_ a: [String], _ b: [String]) -> Bool {
        a.count == b.count ? a.lexicographicallyPrecedes(b) { (Int($0) ?? 0, $0) < (Int($1) ?? 0, $1) } : a.count < b.count
    }

    private static func insert(_ object: [String: Any], at path: ArraySlice<String>, into parent: inout [String: Any]) {
        guard let name = path.first else { return parent.merge(object) { $1 } }
        let rest = path.dropFirst()
        if let index = rest.first.flatMap({ Int($0) }) {
            var list = parent[name] as? [[String: Any]] ?? []
            while list.count <= index { list.append([:]) }
            insert(object, at: rest.dropFirst(), into: &list[index])
            parent[name] = list
        } else {
            var child = parent[name] as? [String: Any] ?? [:]
            insert(object, at: rest, into: &child)
            parent[name] = child
        }
    }

    private static func text(of root: [String: Any]) -> String {
        do {
            let data = try JSONSerialization.data(withJSONObject: root, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
            return String(decoding: data, as: UTF8.self)
        } catch {
            preconditionFailure("strings, integers and booleans make no JSON: \(error)")
        }
    }
}

extension ConfigurationSection {
    /// Whether a reload takes all of it over, its coming and going included.
    fileprivate var reloads: Bool { options.allSatisfy(\.reloads) }
}

extension SectionValues {
    fileprivate func isSame(as other: SectionValues) -> Bool {
        guard section.name == other.section.name else { return false }
        return section.isList && section.option("name") != nil ? text("name") == other.text("name") : path == other.path
    }
}

extension OptionValue {
    fileprivate var plain: Any {
        switch self {
        case .text(let value): value
        case .integer(let value): value
        case .boolean(let value): value
        case .duration(let value): value.configurationText
        case .byteCount(let value): ByteCountText.text(value)
        case .list(let values): values
        }
    }
}
