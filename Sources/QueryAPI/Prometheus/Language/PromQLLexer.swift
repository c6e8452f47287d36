import Telemetry

/// Cuts a query into tokens.
///
/// Source: https://prometheus.io/docs/prometheus/latest/querying/basics/ (literals, durations, comments).
struct PromQLLexer {
    private let bytes: [UInt8]
    private var index = 0

    /// - Throws: `.malformed` with line and column.
    static func tokens(of query: String) throws(PrometheusError) -> [PromQLPlacedToken] {
        var lexer = PromQLLexer(bytes: Array(query.utf8))
        var tokens: [PromQLPlacedToken] = []
        repeat { tokens.append(try lexer.next()) } while tokens.last?.token != .end
        return tokens
    }

    /// The error at a place, which is told by line and column, both from 1.
    static func error(
        _ kind: PrometheusError.Kind = .malformed, in bytes: some Collection<UInt8>, at offset: Int, _ message: String
    ) -> PrometheusError {
        let before = bytes.prefix(offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
        return PrometheusError(kind, "invalid parameter \"query\": \(line):\(column): parse error: \(message)")
    }

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private func failure(at offset: Int, _ message: String) -> PrometheusError { Self.error(in: bytes, at: offset, message) }

    private mutating func next() throws(PrometheusError) -> PromQLPlacedToken {
        skipBlanksAndComments()
        let start = index
        guard let byte = current else { return PromQLPlacedToken(token: .end, offset: start) }
        let token: PromQLToken
        switch byte {
        case _ where byte.isNameStart: token = .identifier(takeText { $0.isNameStart || $0.isDigit })
        case _ where byte.isDigit, UInt8(ascii: "."): token = try numberOrDuration()
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): token = .string(try PromQLString.read(bytes, &index))
        default:
            let symbol = PromQLToken.Symbol.allCases.first { bytes[index...].starts(with: $0.rawValue.utf8) }
            guard let symbol else { throw failure(at: start, "unexpected character") }
            index += symbol.rawValue.utf8.count
            token = .symbol(symbol)
        }
        return PromQLPlacedToken(token: token, offset: start)
    }

    private mutating func skipBlanksAndComments() {
        while let byte = current {
            if byte == UInt8(ascii: "#") {
                while let byte = current, byte != UInt8(ascii: "\n") { index += 1 }
            } else if [0x20, 0x09, 0x0A, 0x0D].contains(byte) {
                index += 1
            } else {
                return
            }
        }
    }

    private mutating func takeText(while belongs: (UInt8) -> Bool) -> String {
        let start = index
        while let byte = current, belongs(byte) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    /// `1`, `1.5`, `.5`, `1e-3`; `5m`, `1h30m`.
    private mutating func numberOrDuration() throws(PrometheusError) -> PromQLToken {
        let start = index
        var text = takeText { $0.isDigit || $0 == UInt8(ascii: ".") }
        if let byte = current, byte | 0x20 == UInt8(ascii: "e") {
            index += 1
            text += "e"
            if let sign = current, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                index += 1
                text += sign == UInt8(ascii: "-") ? "-" : ""
            }
            text += takeText { $0.isDigit }
        } else if let byte = current, byte.isNameStart {
            text += takeText { $0.isNameStart && $0 != UInt8(ascii: ":") || $0.isDigit }
            guard let span = PromQLDuration.parse(text) else { throw failure(at: start, "\(text) is no number and no duration") }
            return .duration(span)
        }
        guard let number = Double(text), number.isFinite else { throw failure(at: start, "\(text) is no number") }
        return .number(number)
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }
}

/// `5m`, `1h30m`, `1d`, `1y`: units from the longest to the shortest, each once.
enum PromQLDuration {
    private static let units: [(name: String, microseconds: Int64)] = [
        ("y", 31_536_000_000_000), ("w", 604_800_000_000), ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000),
        ("s", 1_000_000), ("ms", 1_000),
    ]
    /// A century: sums with times of day stay far from the end of the axis.
    static let limit = TimeSpan(microseconds: 100 * 31_536_000_000_000)

    /// - Returns: nil for anything else, and for what is not above zero or beyond a century.
    static func parse(_ text: String) -> TimeSpan? {
        var rest = Substring(text)
        var total: Int64 = 0
        var allowed = units[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(letters.count)
            guard let count = Int64(digits), let unit = allowed.firstIndex(where: { $0.name == letters }) else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: allowed[unit].microseconds)
            allowed = allowed[(unit + 1)...]
            guard !overflow, product <= limit.microseconds else { return nil }
            total += product
        }
        return total > 0 && total <= limit.microseconds ? TimeSpan(microseconds: total) : nil
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
    /// What names of metrics begin with (labels have no colon).
    fileprivate var isNameStart: Bool {
        (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) || self == UInt8(ascii: "_") || self == UInt8(ascii: ":")
    }
}
