import Telemetry

/// Which parts of a topic name the device and further fields: `devices/{device}/telemetry`.
///
/// A level is literal text, `{name}`, `+` (any level) or, at the end, `{name#}` (all further levels, at least one) or `#` (all further
/// levels, also none). Three names have a meaning: `{device}`; `{field}`, for payloads that are one value; `{table}`. Every other one is a
/// string field. The template is compiled against the subscription's filter, so that a match fits both. A template without `{device}`
/// leaves the device to the payload.
package struct TopicTemplate: Sendable {
    /// A template or filter that cannot work; the text is for whoever wrote the configuration.
    package struct Invalid: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }
    }

    /// Named parts, `{device}` included: bounds the memory of a match.
    package static let nameLimit = 16

    private struct Level: Sendable {
        /// The level must be this text; nil: any text.
        var literal: [UInt8]?
        /// Position among `names` of the part this level is.
        var name: Int?
        /// `#`, or `{name#}` when it has a name.
        var isRest = false
    }

    private let levels: [Level]
    /// Names of the parts in the topic's order.
    package let names: [String]
    /// Position of `{device}` among `names`; nil: the payload names the device.
    package let deviceIndex: Int?
    /// Every topic that fits the filter fits the template.
    let takesWholeFilter: Bool
    /// A filter's wildcard in the first level leaves topics that begin with `$` out. MQTT 5.0, section 4.7.2.
    private let leavesDollarOut: Bool

    /// - Throws: what is wrong with the template, the filter, or the two together.
    package init(_ template: String, filter: String) throws(Invalid) {
        let filterLevels = try Self.parse(filter: filter)
        let (templateLevels, names) = try Self.parse(template: template)
        levels = try Self.merge(template: templateLevels, filter: filterLevels)
        takesWholeFilter = Self.takesWhole(template: templateLevels, filter: filterLevels)
        leavesDollarOut = filterLevels.first.map { $0.literal == nil } ?? false
        self.names = names
        deviceIndex = names.firstIndex(of: "device")
    }

    /// Finds the parts of a topic. Allocates nothing.
    ///
    /// - Parameter parts: one range of `topic` for each of `names`; filled up to the level that fails.
    package func match(_ topic: UnsafeRawBufferPointer, parts: UnsafeMutablePointer<Range<Int>>) -> Bool {
        if leavesDollarOut, topic.first == UInt8(ascii: "$") { return false }
        var start = 0
        for index in levels.indices {
            if levels[index].isRest, levels[index].name == nil { return true }
            guard start <= topic.count else { return false }
            if levels[index].isRest, let name = levels[index].name {
                parts[name] = start..<topic.count
                return start < topic.count
            }
            var end = start
            while end < topic.count, topic[end] != UInt8(ascii: "/") { end += 1 }
            if let literal = levels[index].literal {
                guard topic[start..<end].elementsEqual(literal) else { return false }
            }
            if let name = levels[index].name { parts[name] = start..<end }
            start = end + 1
        }
        return start == topic.count + 1
    }
}

extension TopicTemplate {
    private static func split(_ text: String, isTemplate: Bool) throws(Invalid) -> [Substring] {
        let what = isTemplate ? "topic template" : "filter"
        guard !text.isEmpty else { throw Invalid("the \(what) is empty") }
        guard text.utf8.count <= 65_535 else { throw Invalid("the \(what) is longer than MQTT allows (65535 bytes)") }
        let levels = text.split(separator: "/", omittingEmptySubsequences: false)
        for (index, level) in levels.enumerated() {
            let isRest = level == "#" || (isTemplate && level.hasSuffix("#}"))
            if level.contains("#"), !isRest || index != levels.count - 1 {
                throw Invalid("\"#\" in the \(what) \"\(text)\" must be the whole last level")
            }
            if level.contains("+"), level != "+" {
                throw Invalid("\"+\" in the \(what) \"\(text)\" must be a whole level")
            }
        }
        return levels
    }

    private static func parse(filter: String) throws(Invalid) -> [Level] {
        var levels = try split(filter, isTemplate: false)
        if isShared(filter) {
            guard levels.count > 2, !levels[1].isEmpty, levels[1] != "+", levels[1] != "#" else {
                throw Invalid("the filter \"\(filter)\" must have the form $share/group/filter")
            }
            levels.removeFirst(2)
        }
        return levels.map { level in
            switch level {
            case "#": Level(isRest: true)
            case "+": Level()
            default: Level(literal: Array(level.utf8))
            }
        }
    }

    private static func parse(template: String) throws(Invalid) -> (levels: [Level], names: [String]) {
        var names: [String] = []
        var levels: [Level] = []
        for level in try split(template, isTemplate: true) {
            switch level {
            case "#": levels.append(Level(isRest: true))
            case "+": levels.append(Level())
            case _ where level.contains("{") || level.contains("}"):
                let isRest = level.hasSuffix("#}")
                names.append(try name(of: level, in: template, besides: names))
                levels.append(Level(name: names.count - 1, isRest: isRest))
            default: levels.append(Level(literal: Array(level.utf8)))
            }
        }
        guard names.count <= nameLimit else { throw Invalid("the topic template \"\(template)\" names more than \(nameLimit) parts") }
        return (levels, names)
    }

    private static func name(of level: Substring, in template: String, besides names: [String]) throws(Invalid) -> String {
        let name = level.dropFirst().dropLast(level.hasSuffix("#}") ? 2 : 1)
        guard level.first == "{", level.last == "}", !name.contains("{"), !name.contains("}") else {
            throw Invalid("\"\(level)\" in the topic template \"\(template)\" must be a whole level, as in a/{device}/b")
        }
        guard !name.isEmpty else { throw Invalid("\"{}\" in the topic template \"\(template)\" has no name") }
        guard name.utf8.count <= Limits.fieldNameByteCount else {
            throw Invalid("a name in the topic template is longer than \(Limits.fieldNameByteCount) bytes")
        }
        guard !names.contains(String(name)) else { throw Invalid("{\(name)} occurs twice in the topic template \"\(template)\"") }
        return String(name)
    }

    /// The levels of topics that fit both.
    private static func merge(template: [Level], filter: [Level]) throws(Invalid) -> [Level] {
        var merged: [Level] = []
        for index in 0... {
            let (ours, theirs) = (level(template, index), level(filter, index))
            if theirs?.isRest == true { return merged + template.dropFirst(index) }
            if let ours, ours.isRest {
                guard ours.name == nil else { throw Invalid("where the topic template has a {name#}, the filter must have \"#\"") }
                return merged + filter.dropFirst(index)
            }
            guard var ours, let theirs else {
                if ours == nil, theirs == nil { return merged }
                throw Invalid("the topic template has \(template.count) levels and the filter has \(filter.count): no topic fits both")
            }
            if let mine = ours.literal, let other = theirs.literal, mine != other {
                throw Invalid(
                    "level \(index + 1) is \"\(String(decoding: mine, as: UTF8.self))\" in the topic template and "
                        + "\"\(String(decoding: other, as: UTF8.self))\" in the filter: no topic fits both")
            }
            ours.literal = ours.literal ?? theirs.literal
            merged.append(ours)
        }
        return merged
    }

    private static func takesWhole(template: [Level], filter: [Level]) -> Bool {
        for index in 0... {
            let (ours, theirs) = (level(template, index), level(filter, index))
            if ours?.isRest == true { return ours?.name == nil }
            guard let ours, let theirs, !theirs.isRest else { return ours == nil && theirs == nil }
            if ours.literal != nil, theirs.literal == nil { return false }
        }
        return false
    }

    /// Whether the filter is shared by the operator's choice: `$share/group/filter`.
    static func isShared(_ filter: String) -> Bool { filter.hasPrefix("$share/") }

    private static func level(_ levels: [Level], _ index: Int) -> Level? { index < levels.count ? levels[index] : nil }
}
