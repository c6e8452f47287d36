/// What the broker's session is subscribed to, as far as is known: kept durably, so that filters and connections which left the
/// configuration while the gateway was away can be taken back. Source: docs/format/session-note.md.
struct SessionNote: Equatable {
    private static let version: UInt8 = 2
    /// Had no `identifierBase`.
    private static let firstVersion: UInt8 = 1

    /// Of the broker that has the session.
    var host: String
    var port: Int
    /// As subscribed, `$share/…` included.
    var filters: [String]
    /// Of the `SubscriptionIdentifiers` of these filters, when the broker has granted them all; otherwise 0.
    var identifierBase: UInt32

    static let sourcePrefix = "mqtt-session/"
    static func source(clientID: String) -> String { sourcePrefix + clientID }

    init(host: String, port: Int, filters: [String], identifierBase: UInt32 = 0) {
        self.host = host
        self.port = port
        self.filters = filters
        self.identifierBase = identifierBase
    }

    /// - Returns: nil when the bytes are no note.
    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        guard let version = rest.popFirst(), version == Self.version || version == Self.firstVersion, let host = Self.text(&rest),
            let port = Self.integer(&rest),
            let count = Self.integer(&rest)
        else { return nil }
        var filters: [String] = []
        for _ in 0..<count {
            guard let filter = Self.text(&rest) else { return nil }
            filters.append(filter)
        }
        var base = 0
        if version != Self.firstVersion {
            guard let low = Self.integer(&rest), let high = Self.integer(&rest) else { return nil }
            base = low | high << 16
        }
        guard rest.isEmpty else { return nil }
        self.init(host: host, port: port, filters: filters, identifierBase: UInt32(base))
    }

    var bytes: [UInt8] {
        var bytes = [Self.version]
        Self.append(host, to: &bytes)
        Self.append(UInt16(clamping: port), to: &bytes)
        Self.append(UInt16(clamping: filters.count), to: &bytes)
        for filter in filters.prefix(Int(UInt16.max)) { Self.append(filter, to: &bytes) }
        Self.append(UInt16(truncatingIfNeeded: identifierBase), to: &bytes)
        Self.append(UInt16(truncatingIfNeeded: identifierBase >> 16), to: &bytes)
        return bytes
    }

    private static func append(_ value: UInt16, to bytes: inout [UInt8]) { bytes += [UInt8(value & 0xFF), UInt8(value >> 8)] }

    /// Names and filters are at most 65 535 bytes, as MQTT has it.
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        let utf8 = text.utf8.prefix(Int(UInt16.max))
        append(UInt16(utf8.count), to: &bytes)
        bytes += utf8
    }

    private static func integer(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        guard let low = bytes.popFirst(), let high = bytes.popFirst() else { return nil }
        return Int(low) | Int(high) << 8
    }

    private static func text(_ bytes: inout ArraySlice<UInt8>) -> String? {
        guard let count = integer(&bytes), bytes.count >= count else { return nil }
        defer { bytes.removeFirst(count) }
        return String(validating: bytes.prefix(count), as: UTF8.self)
    }
}
