import HTTPTypes

/// The secret that a request shows, in whichever way its client knows.
enum Credentials {
    /// - `Authorization: Bearer SECRET`; `Token SECRET`, as clients of InfluxDB 2 send it; `Basic`, whose password is the secret and whose
    ///   user name is not looked at, for clients that know nothing else;
    /// - the parameter `p`, on routes that take it, as clients of InfluxDB 1 send it. The header wins.
    ///
    /// - Returns: nil when there is none, or none that can be read: what else is wrong with a query is judged behind the door.
    static func secret(headers: HTTPFields, query: Substring, route: Route) -> String? {
        if let header = headers[.authorization] { return secret(authorization: header) }
        guard route.parameters.contains("p"), let pair = query.split(separator: "&").first(where: { $0.hasPrefix("p=") }) else {
            return nil
        }
        return PercentEncoding.decode(pair.dropFirst(2), plusIsSpace: true).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func secret(authorization header: String) -> String? {
        let scheme = header.prefix { $0 != " " }
        let value = header.dropFirst(scheme.count).drop { $0 == " " }
        switch scheme.lowercased() {
        case "bearer", "token": return value.isEmpty ? nil : String(value)
        case "basic": return password(basic: value)
        default: return nil
        }
    }

    /// Source: RFC 7617 §2.
    private static func password(basic value: Substring) -> String? {
        var unpadded = value
        while unpadded.hasSuffix("=") { unpadded.removeLast() }
        let urlSafe = unpadded.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
        guard let bytes = Base64.decode(urlSafe: String(urlSafe)), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let password = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
        return password.isEmpty ? nil : password
    }
}
