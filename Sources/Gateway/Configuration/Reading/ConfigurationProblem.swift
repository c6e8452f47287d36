/// One thing that is wrong with the configuration, and where.
package struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// `gaugehouse.toml:12`, `GAUGEHOUSE_STORE__PATH`, `--set store.path`.
    package let place: String
    package let message: String
    /// Line in the file, for sorting; 0 for what stands in no line.
    package let line: Int

    package var description: String { "\(place): \(message)" }
}

/// Everything that is wrong with a configuration, in the order of the file. Exit code 78.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    package let problems: [ConfigurationProblem]

    package init(_ problems: [ConfigurationProblem]) {
        self.problems = problems.enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }.map(\.element)
    }

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Where a value came from. Later cases win over earlier ones.
package enum ConfigurationOrigin: Sendable, Equatable {
    case builtIn
    case file(line: Int)
    case environment(name: String)
    case flag(path: String)

    /// As `/api/v1/config` shows it.
    package var name: String {
        switch self {
        case .builtIn: "default"
        case .file(let line): "file:\(line)"
        case .environment(let name): name
        case .flag: "flag"
        }
    }

    func problem(_ message: String, file: String) -> ConfigurationProblem {
        switch self {
        case .builtIn: ConfigurationProblem(place: file, message: message, line: 0)
        case .file(let line): ConfigurationProblem(place: line > 0 ? "\(file):\(line)" : file, message: message, line: line)
        case .environment(let name): ConfigurationProblem(place: name, message: message, line: 0)
        case .flag(let path): ConfigurationProblem(place: "--set \(path)", message: message, line: 0)
        }
    }
}
