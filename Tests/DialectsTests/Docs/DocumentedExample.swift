import Dialects
import Foundation
import Telemetry
import Testing

/// One example of docs/dialects.md: a configuration, a topic, a payload, and the table of readings.
struct DocumentedExample: Sendable, CustomTestStringConvertible {
    /// The lines of the last block of TOML before the topic.
    var configuration: [String: String] = [:]
    var topic = ""
    var payload: [UInt8] = []
    /// Lines of the table, as they stand.
    var table: [String] = []

    var testDescription: String { "\(configuration["format"] ?? "") \(topic)" }

    static func all(in markdown: String) -> [DocumentedExample] {
        var examples: [DocumentedExample] = []
        var example = DocumentedExample()
        var lines = markdown.split(separator: "\n", omittingEmptySubsequences: false)[...]
        func block() -> [String] {
            let content = lines.prefix { $0 != "```" }.map(String.init)
            lines = lines.dropFirst(content.count + 1)
            return content
        }
        while let line = lines.popFirst() {
            switch line {
            case "```toml": example.configuration = configuration(block())
            case "```": example.payload = Array(block().joined(separator: "\n").utf8)
            case "```hex": example.payload = bytes(hex: block().joined())
            case "```text":
                example.table = block()
                examples.append(example)
            case _ where line.hasPrefix("`") && line.hasSuffix("`") && line.count(where: { $0 == "`" }) == 2:
                example.topic = String(line.dropFirst().dropLast())
            default: break
            }
        }
        return examples
    }

    /// `key = value` of strings, lists of strings and their comments; all that the examples use.
    private static func configuration(_ lines: [String]) -> [String: String] {
        var values: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: " = ", maxSplits: 1)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
        }
        return values
    }

    private func text(_ key: String) -> String? { strings(key).first }

    private func strings(_ key: String) -> [String] {
        (configuration[key] ?? "").split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }

    var options: DialectOptions {
        var options = DialectOptions(format: text("format").flatMap(PayloadFormat.init) ?? .json)
        options.timeKey = text("time_key")
        options.timeUnit = text("time_unit").flatMap(DialectOptions.TimeUnit.init) ?? .auto
        options.zoneOffset = text("time_zone").map { zone in
            let parts = zone.dropFirst().split(separator: ":").compactMap { Int($0) }
            return (parts[0] * 60 + parts[1]) * (zone.first == "-" ? -60 : 60)
        }
        (options.include, options.exclude, options.columns) = (strings("include"), strings("exclude"), strings("columns"))
        options.deviceTag = text("device_tag") ?? options.deviceTag
        return options
    }

    /// What the template makes of the topic. The real one belongs to Ingest; the examples do not need its checks.
    var parts: [(name: String, value: String)] {
        let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
        let template = (text("topic") ?? "").split(separator: "/", omittingEmptySubsequences: false)
        return zip(template, levels.indices).compactMap { part, index in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return nil }
            let name = part.dropFirst().dropLast()
            guard name.hasSuffix("#") else { return (String(name), String(levels[index])) }
            return (String(name.dropLast()), levels[index...].joined(separator: "/"))
        }
    }

    func decoded() -> DecodedMessage {
        let parts = parts
        let device = parts.first { $0.name == "device" }?.value
        let field = parts.first { $0.name == "field" }?.value
        let fields = parts.filter { !["device", "field", "table"].contains($0.name) }
        var decoder = PayloadDecoder(options) { _ in nil }
        return decode(payload, topic: topic, device: device, field: field, fields: fields.map { ($0.name, $0.value) }, with: &decoder)
    }

    /// The table as `gaugehouse explain` prints it.
    static func table(_ readings: [Reading]) -> [String] {
        var rows = [["DEVICE", "TIME", "FIELD", "TYPE", "VALUE"]]
        for reading in readings {
            for (name, value) in reading.fields.sorted(by: { $0.key < $1.key }) {
                rows.append([reading.device, reading.time?.rfc3339 ?? "(time of receipt)", name, value.type.name, text(value)])
            }
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
                .trimmingCharacters(in: .whitespaces)
        }
    }

    private static func text(_ value: FieldValue) -> String {
        switch value {
        case .integer(let value): "\(value)"
        case .double(let value): "\(value)"
        case .boolean(let value): "\(value)"
        case .string(let value): value
        case .binary(let bytes): Data(bytes).base64EncodedString()
        }
    }
}
