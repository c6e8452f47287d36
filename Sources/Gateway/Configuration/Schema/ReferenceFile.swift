/// The text of `configs/gaugehouse.toml`: every option there is, commented out at its default.
package enum ReferenceFile {
    package static var text: String {
        var lines = [
            "# Configuration of gaugehouse. Every option stands here, commented out at its default.",
            "# Precedence: --set SECTION.KEY=VALUE, then GAUGEHOUSE_SECTION__KEY in the environment, then this file, then the default.",
            "# Elements of lists go by number there: --set table.0.ttl=7d, GAUGEHOUSE_TABLE__0__TTL=7d.",
            "# Durations: \"500ms\", \"30s\", \"5m\", \"1h30m\", \"30d\". Sizes: \"64MiB\" or a number of bytes.",
            "# (reloads): SIGHUP takes a change over. (restart): it takes effect when the gateway is started again.",
            "# Check a file with: gaugehouse check-config --config FILE",
        ]
        for section in ConfigurationSchema.root.subsections { append(section, prefix: "", isHidden: false, to: &lines) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func append(_ section: ConfigurationSection, prefix: String, isHidden: Bool, to lines: inout [String]) {
        // Without [mqtt] nothing would be received; a list that delivers nothing is the better default for the others.
        let isHidden = isHidden || (section.isOptional && section.isList)
        let name = prefix + section.name
        lines.append("")
        lines += section.summary.map { "# " + $0 }
        lines.append((isHidden ? "# " : "") + (section.isList ? "[[\(name)]]" : "[\(name)]"))
        let width = section.options.map { assignment($0).utf8.count }.filter { $0 <= 48 }.max() ?? 0
        for option in section.options {
            let left = assignment(option)
            let padding = String(repeating: " ", count: max(0, width - left.utf8.count))
            lines.append("# \(left)\(padding)  # \(option.summary) (\(option.reloads ? "reloads" : "restart"))")
        }
        for subsection in section.subsections { append(subsection, prefix: name + ".", isHidden: isHidden, to: &lines) }
    }

    private static func assignment(_ option: ConfigurationOption) -> String {
        switch option.defaultValue {
        case .integer, .boolean: "\(option.key) = \(option.defaultText)"
        case .list: "\(option.key) = []"
        default: "\(option.key) = \"\(option.defaultText)\""
        }
    }
}
