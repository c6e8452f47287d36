import Foundation
import TOMLKit

/// Reads file, environment and flags into sections, and remembers everything that is wrong on the way.
///
/// Precedence: flag over environment over file over default.
struct ConfigurationReader {
    /// As it is named in messages.
    let file: String
    private(set) var sections: [SectionValues] = []
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [ConfigurationProblem] = []
    /// Content of each `password_file`, by the path of its section.
    var passwords: [[String]: String] = [:]
    var httpFiles = HTTPFiles()

    init(file: String) { self.file = file }

    mutating func note(_ message: String, at origin: ConfigurationOrigin) { problems.append(origin.problem(message, file: file)) }

    mutating func warn(_ message: String, at origin: ConfigurationOrigin) { warnings.append(origin.problem(message, file: file)) }

    // MARK: File

    mutating func read(toml text: String) {
        do {
            let lines = TOMLLineIndex(text)
            if let line = lines.namelessHeader {
                return note("not TOML: between the brackets stands the name of a section, like [store] or [[table]]", at: .file(line: line))
            }
            read(try TOMLTable(string: text), as: ConfigurationSchema.root, path: [], lines: lines)
        } catch let error as TOMLParseError {
            note("not TOML: \(error.description)", at: .file(line: error.source.begin.line))
        } catch {
            note("not TOML: \(error)", at: .file(line: 0))
        }
    }

    private mutating func read(_ table: TOMLTable, as section: ConfigurationSection, path: [String], lines: TOMLLineIndex) {
        var values = SectionValues(section: section, path: path, origin: .file(line: lines.line(of: path.joined(separator: "."))))
        let slot = sections.count
        if !path.isEmpty { sections.append(values) }
        for key in table.keys {
            guard let node = table[key] else { continue }
            let origin = ConfigurationOrigin.file(line: lines.line(of: (path + [key]).joined(separator: ".")))
            if let option = section.option(key) {
                if let value = value(of: option, RawOptionValue(node), at: origin) { values.set(key, to: value, at: origin) }
            } else if let subsection = section.subsection(key) {
                read(node, as: subsection, path: path + [key], at: origin, lines: lines)
            } else {
                noteUnknown(key, in: section, at: origin)
            }
        }
        if !path.isEmpty { sections[slot] = values }
    }

    private mutating func read(
        _ node: any TOMLValueConvertible, as section: ConfigurationSection, path: [String], at origin: ConfigurationOrigin,
        lines: TOMLLineIndex
    ) {
        if section.isList || section.mayRepeat, let array = node.array, array.allSatisfy({ $0.type == .table }) {
            for (index, element) in array.enumerated() {
                if let table = element.table { read(table, as: section, path: path + [String(index)], lines: lines) }
            }
        } else if !section.isList, let table = node.table {
            read(table, as: section, path: path, lines: lines)
        } else {
            let name = path.filter { Int($0) == nil }.joined(separator: ".")
            let forms = section.isList ? "[[\(name)]]" : section.mayRepeat ? "[\(name)] or [[\(name)]]" : "[\(name)]"
            note("write this section as \(forms)", at: origin)
        }
    }

    // MARK: Environment and flags

    /// Variables named `GAUGEHOUSE_SECTION__KEY`; elements of lists by number: `GAUGEHOUSE_TABLE__0__TTL`. Others are not looked at.
    mutating func read(environment: [String: String]) {
        let prefix = "GAUGEHOUSE_"
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix(prefix) && name.contains("__") {
            let path = name.dropFirst(prefix.count).lowercased().components(separatedBy: "__")
            override(path, with: text, at: .environment(name: name))
        }
    }

    /// Pairs `store.path=/data`, `table.0.ttl=7d`.
    mutating func read(flags: [String]) {
        for flag in flags {
            let parts = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                note("expected SECTION.KEY=VALUE", at: .flag(path: flag))
                continue
            }
            override(parts[0].components(separatedBy: "."), with: parts[1], at: .flag(path: parts[0]))
        }
    }

    private mutating func override(_ path: [String], with text: String, at origin: ConfigurationOrigin) {
        guard let key = path.last, path.count > 1 else { return note("expected a section and a key", at: origin) }
        var section = ConfigurationSchema.root
        var names: [String] = []
        var rest = path.dropLast()
        while let name = rest.popFirst() {
            guard let next = section.subsection(name) else { return noteUnknown(name, in: section, at: origin) }
            names.append(name)
            if next.isList || (next.mayRepeat && isList(names, next: rest.first)) {
                let count = sections.count { $0.path.dropLast() == names[...] }
                guard let index = rest.popFirst().flatMap({ Int($0) }), (0...count).contains(index) else {
                    return note("\(names.joined(separator: ".")) is a list: a number from 0 to \(count) must follow", at: origin)
                }
                names.append(String(index))
            }
            section = next
        }
        guard let option = section.option(key) else { return noteUnknown(key, in: section, at: origin) }
        let slot = slot(of: names, as: section, at: origin)
        if let value = value(of: option, .untyped(text), at: origin) { sections[slot].set(key, to: value, at: origin) }
    }

    /// Whether a section that may repeat does: it is written so, or is begun by a number.
    private func isList(_ path: [String], next: String?) -> Bool {
        if sections.contains(where: { $0.path == path }) { return false }
        return sections.contains { $0.path.starts(with: path) } || next.flatMap { Int($0) } != nil
    }

    private mutating func slot(of path: [String], as section: ConfigurationSection, at origin: ConfigurationOrigin) -> Int {
        if let slot = sections.firstIndex(where: { $0.path == path }) { return slot }
        sections.append(SectionValues(section: section, path: path, origin: origin))
        return sections.count - 1
    }

    // MARK: Defaults

    /// Adds the sections that are there whether written or not.
    mutating func addDefaults() {
        for section in ConfigurationSchema.root.subsections where !section.isOptional { addDefault(section, below: []) }
        if sections.contains(where: { $0.path.prefix(2) == ["mqtt", "subscription"] }) { addDefault(ConfigurationSchema.mqtt, below: []) }
        for broker in sections.filter({ $0.section.name == "mqtt" }) { addDefault(ConfigurationSchema.subscription, below: broker.path) }
    }

    private mutating func addDefault(_ section: ConfigurationSection, below path: [String]) {
        _ = slot(of: path + [section.name] + (section.isList ? ["0"] : []), as: section, at: .builtIn)
    }

    // MARK: Values

    private mutating func value(of option: ConfigurationOption, _ raw: RawOptionValue, at origin: ConfigurationOrigin) -> OptionValue? {
        switch option.value(of: raw) {
        case .success(let value): return value
        case .failure(let mistake):
            note("\(option.key): \(mistake.message)", at: origin)
            return nil
        }
    }

    private mutating func noteUnknown(_ key: String, in section: ConfigurationSection, at origin: ConfigurationOrigin) {
        let place = section.name.isEmpty ? "at the top level" : "in [\(section.name)]"
        let hint = nearestName(to: key, among: section.names).map { "; did you mean \"\($0)\"?" } ?? ""
        note("unknown key \"\(key)\" \(place)\(hint)", at: origin)
    }
}

extension RawOptionValue {
    init(_ node: any TOMLValueConvertible) {
        if let text = node.string {
            self = .string(text)
        } else if let value = node.int {
            self = .integer(value)
        } else if let value = node.bool {
            self = .boolean(value)
        } else if let array = node.array, array.allSatisfy({ $0.string != nil }) {
            self = .strings(array.compactMap(\.string))
        } else {
            self = .other("a value of type \(node.type)")
        }
    }
}
