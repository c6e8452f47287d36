import Telemetry

/// One option: its name, what may stand there, and what holds when nothing does.
package struct ConfigurationOption: Sendable {
    package let key: String
    package let kind: OptionKind
    /// As it is written, without quotes.
    package let defaultText: String
    /// One line for the reference file.
    package let summary: String
    /// Whether a reload takes a new value over; other options wait for the next start.
    package let reloads: Bool
    /// What the kind alone cannot tell; returns what is wrong with a text.
    package var check: (@Sendable (String) -> String?)?

    package init(
        _ key: String, _ kind: OptionKind, _ defaultText: String, _ summary: String, reloads: Bool = false,
        check: (@Sendable (String) -> String?)? = nil
    ) {
        self.key = key
        self.kind = kind
        self.defaultText = defaultText
        self.summary = summary
        self.reloads = reloads
        self.check = check
    }

    /// The value that holds when nothing is written.
    package var defaultValue: OptionValue {
        switch kind.value(of: .untyped(defaultText)) {
        case .success(let value): value
        case .failure(let mistake): preconditionFailure("default of \(key): \(mistake.message)")
        }
    }

    /// Turns what was written into a value, or says why not.
    func value(of raw: RawOptionValue) -> Result<OptionValue, OptionMistake> {
        kind.value(of: raw).flatMap { value in
            let text: String? =
                switch value {
                case .text(let text): text
                case .duration(let span): span.text
                default: nil
                }
            if let text, let complaint = check?(text) { return .failure(OptionMistake(complaint)) }
            return .success(value)
        }
    }
}

/// What was written, before anyone asked what it should be.
package enum RawOptionValue: Sendable, Equatable {
    case string(String)
    case integer(Int)
    case boolean(Bool)
    case strings([String])
    /// A TOML value that no option takes: `floating-point number`, `array`…
    case other(String)
    /// From the environment or a flag: takes the type the option wants.
    case untyped(String)
}

package enum OptionValue: Sendable, Equatable {
    case text(String)
    case integer(Int)
    case boolean(Bool)
    case duration(TimeSpan)
    case byteCount(Int)
    case list([String])
}

struct OptionMistake: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

package enum OptionKind: Sendable {
    case text
    case boolean
    case integer(ClosedRange<Int>)
    case duration(ClosedRange<TimeSpan>)
    /// Bytes: an integer, or a text like `64MiB`.
    case byteCount(ClosedRange<Int>)
    /// One of these words.
    case choice([String])
    /// Texts; in the environment and in flags separated by commas.
    case list

    func value(of raw: RawOptionValue) -> Result<OptionValue, OptionMistake> {
        switch (self, raw) {
        case (.text, .string(let text)), (.text, .untyped(let text)): .success(.text(text))
        case (.boolean, .boolean(let value)): .success(.boolean(value))
        case (.boolean, .untyped("true")): .success(.boolean(true))
        case (.boolean, .untyped("false")): .success(.boolean(false))
        case (.integer(let range), .integer(let value)): within(range, value)
        case (.integer(let range), .untyped(let text)): Int(text).map { within(range, $0) } ?? mismatch(raw)
        case (.duration(let range), .string(let text)), (.duration(let range), .untyped(let text)): duration(text, range)
        case (.byteCount(let range), .integer(let value)): bytes(value, range)
        case (.byteCount(let range), .string(let text)), (.byteCount(let range), .untyped(let text)):
            ByteCountText.parse(text).map { bytes($0, range) } ?? mismatch(raw)
        case (.list, .strings(let texts)): .success(.list(texts))
        case (.list, .untyped(let text)): .success(.list(Self.parts(of: text)))
        case (.choice(let words), .string(let text)), (.choice(let words), .untyped(let text)): choice(text, words)
        default: mismatch(raw)
        }
    }

    /// What may stand here, for messages and the reference file.
    package var expectation: String {
        switch self {
        case .text: "a string"
        case .list: "a list of strings"
        case .boolean: "true or false"
        case .integer(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
        case .duration(let range):
            "a duration from \"\(range.lowerBound.configurationText)\" to \"\(range.upperBound.configurationText)\""
        case .byteCount(let range):
            "a size from \"\(ByteCountText.text(range.lowerBound))\" to \"\(ByteCountText.text(range.upperBound))\""
        case .choice(let words): words.map { "\"\($0)\"" }.joined(separator: " or ")
        }
    }

    private static func parts(of text: String) -> [String] {
        text.split(separator: ",").map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }

    private func mismatch(_ raw: RawOptionValue) -> Result<OptionValue, OptionMistake> {
        .failure(OptionMistake("expected \(expectation), found \(raw.name)"))
    }

    private func within(_ range: ClosedRange<Int>, _ value: Int) -> Result<OptionValue, OptionMistake> {
        range.contains(value) ? .success(.integer(value)) : mismatch(.integer(value))
    }

    private func bytes(_ value: Int, _ range: ClosedRange<Int>) -> Result<OptionValue, OptionMistake> {
        range.contains(value) ? .success(.byteCount(value)) : mismatch(.string(ByteCountText.text(value)))
    }

    private func duration(_ text: String, _ range: ClosedRange<TimeSpan>) -> Result<OptionValue, OptionMistake> {
        guard let span = TimeSpan(text: text), range.contains(span) else { return mismatch(.string(text)) }
        return .success(.duration(span))
    }

    private func choice(_ text: String, _ words: [String]) -> Result<OptionValue, OptionMistake> {
        if words.contains(text) { return .success(.text(text)) }
        let hint = nearestName(to: text, among: words).map { "; did you mean \"\($0)\"?" } ?? ""
        return .failure(OptionMistake("expected \(expectation), found \"\(text)\"\(hint)"))
    }
}

extension RawOptionValue {
    var name: String {
        switch self {
        case .string(let text), .untyped(let text): "\"\(text)\""
        case .integer(let value): "the integer \(value)"
        case .boolean(let value): "\(value)"
        case .strings: "a list"
        case .other(let type): type
        }
    }
}

extension TimeSpan {
    /// As it is written in the configuration.
    package var configurationText: String { self == .zero ? "0s" : text }
}

/// Sizes as people write them: `64MiB`, `1GiB`, `512`.
package enum ByteCountText {
    private static let units: [(String, Int)] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)]

    /// Nil for anything else, negative numbers and overflow included.
    package static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let count = Int(digits), let factor = unit.isEmpty ? 1 : units.first(where: { $0.0 == unit })?.1 else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    /// The shortest exact text.
    package static func text(_ count: Int) -> String {
        let unit = units.first { count != 0 && count % $0.1 == 0 } ?? ("B", 1)
        return "\(count / unit.1)\(unit.0)"
    }
}
