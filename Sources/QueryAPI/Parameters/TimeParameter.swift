import Telemetry

/// Times as a query writes them: `now`, `-1h`, `now-7d`, `now+1h`, epoch numbers with the unit told by magnitude, RFC 3339.
package enum TimeParameter {
    /// - Returns: nil for anything else, RFC 3339 without a zone included.
    package static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        if text.hasPrefix("now") { return relative(text.dropFirst(3), to: now) }
        if text.hasPrefix("-"), text.utf8.last.map(isLetter) == true { return relative(text[...], to: now) }
        return epoch(text) ?? Timestamp(rfc3339: text)
    }

    private static func relative(_ text: Substring, to now: Timestamp) -> Timestamp? {
        guard let sign = text.first else { return now }
        guard sign == "+" || sign == "-", let span = TimeSpan(text: String(text.dropFirst())) else { return nil }
        return sign == "+" ? now + span : now - span
    }

    private static func epoch(_ text: String) -> Timestamp? {
        if let number = Int64(text), text.first != "+" { return Timestamp(epoch: number) }
        // Double(_:) also takes `nan`, `0x1p3` and exponents: only digits and a dot are a time.
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D }) else { return nil }
        return Double(text).flatMap { Timestamp(epoch: $0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
}
