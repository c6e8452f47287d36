/// Prometheus text exposition format 0.0.4: families with HELP and TYPE, each once, samples below.
package struct PrometheusText: Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram, summary }

    package private(set) var bytes: [UInt8] = []
    private var family = ""

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package init() {}

    /// Starts a family; its samples follow.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        family = name
        bytes.append(text: "# HELP \(name) \(Self.escaped(help))\n# TYPE \(name) \(kind.rawValue)\n")
    }

    /// A sample of the current family.
    ///
    /// - Parameter suffix: `_bucket`, `_sum` or `_count` of histograms and summaries.
    package mutating func sample(_ value: Double, labels: KeyValuePairs<String, String> = [:], suffix: String = "") {
        bytes.append(text: family + suffix)
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.key)=\"\(Self.escaped($0.value, quotes: true))\"" }
            bytes.append(text: "{\(pairs.joined(separator: ","))}")
        }
        bytes.append(ascii: " ")
        append(value)
        bytes.append(ascii: "\n")
    }

    package mutating func sample(_ value: Int, labels: KeyValuePairs<String, String> = [:], suffix: String = "") {
        sample(Double(value), labels: labels, suffix: suffix)
    }

    /// A family of one sample without labels.
    package mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
        guard let value else { return }
        family(name, kind, help)
        sample(value)
    }

    package mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Int?) {
        single(name, kind, help, value.map(Double.init))
    }

    /// Whole numbers without a fraction: 2^53 is the last below which each is exact.
    private mutating func append(_ value: Double) {
        if let integer = Int64(exactly: value), value.magnitude < 0x1p53 { return bytes.append(decimal: integer) }
        bytes.append(text: value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : value.description)
    }

    private static func escaped(_ text: String, quotes: Bool = false) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
