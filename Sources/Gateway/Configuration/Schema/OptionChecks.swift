import Telemetry

/// What is wrong with a text, for the options whose kind alone does not tell; nil: nothing.

@Sendable func isNotEmpty(_ text: String) -> String? { text.isEmpty ? "must not be empty" : nil }

@Sendable func isTableName(_ text: String) -> String? {
    let isValid = (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isASCIIWord || $0 == UInt8(ascii: "-") }
    return isValid ? nil : "expected 1 to 64 of [A-Za-z0-9_-], found \"\(text)\""
}

/// Directories of partitions are named by the second.
@Sendable func isWholeSeconds(_ text: String) -> String? {
    let isWhole = TimeSpan(text: text).map { $0.microseconds % 1_000_000 == 0 } ?? false
    return isWhole ? nil : "expected a number of whole seconds, found \"\(text)\""
}

@Sendable func isListenAddress(_ text: String) -> String? {
    ListenAddress(text) == nil ? "expected ADDRESS:PORT like \"127.0.0.1:8080\" or \"[::1]:8080\", found \"\(text)\"" : nil
}

@Sendable func isZone(_ text: String) -> String? {
    text.isEmpty || secondsEast(text) != nil ? nil : "expected +HH:MM, -HH:MM or Z, found \"\(text)\""
}

/// Seconds east of UTC; nil when the text is no zone.
package func secondsEast(_ text: String) -> Int? {
    if text == "Z" { return 0 }
    let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
    guard let sign = text.first, sign == "+" || sign == "-", parts.count == 2, parts.allSatisfy({ $0.count == 2 }),
        let hours = UInt(parts[0]),
        let minutes = UInt(parts[1]), hours < 24, minutes < 60
    else { return nil }
    return (sign == "-" ? -1 : 1) * Int(hours * 3_600 + minutes * 60)
}

/// Host and port of `[http] listen`.
package struct ListenAddress: Sendable, Equatable {
    package let host: String
    package let port: Int

    /// `127.0.0.1:8080`, `localhost:0`, `[::]:8080`; nil for anything else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        (self.host, self.port) = (String(host), port)
    }

    /// Reachable from this machine only.
    package var isLoopback: Bool { Self.isLoopback(host) }

    package static func isLoopback(_ host: String) -> Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}

extension UInt8 {
    fileprivate var isASCIIWord: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) || self == UInt8(ascii: "_")
    }
}
