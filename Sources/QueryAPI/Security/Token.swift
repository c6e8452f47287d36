import Telemetry

/// One line of the token file: a name for a hash, and what its holder may do.
///
/// `grafana sha256:5e88…49b2 read created=2025-11-24T16:00:00Z expires=2026-11-24T16:00:00Z device_prefix=line1/`
package struct Token: Sendable, Equatable {
    package var name: String
    package var digest: TokenDigest
    package var scopes: Set<Access.Scope>
    /// Empty: all devices.
    package var devicePrefix: String
    package var created: Timestamp
    /// From then on it is none.
    package var expires: Timestamp?

    package init(
        name: String, digest: TokenDigest, scopes: Set<Access.Scope>, devicePrefix: String = "", created: Timestamp,
        expires: Timestamp? = nil
    ) {
        self.name = name
        self.digest = digest
        self.scopes = scopes
        self.devicePrefix = devicePrefix
        self.created = created
        self.expires = expires
    }

    /// `read,write`.
    package var scopeText: String { Access.Scope.allCases.filter(scopes.contains).map(\.rawValue).joined(separator: ",") }

    package var access: Access { Access(scopes: scopes, prefix: devicePrefix, token: self) }

    package func isExpired(at now: Timestamp) -> Bool { expires.map { now >= $0 } ?? false }

    /// What is wrong with the token as a whole; nil: nothing.
    package var mistake: String? {
        if !Self.isName(name) { return "a token's name is 1 to 64 of [A-Za-z0-9._-]" }
        if scopes.isEmpty { return "a token needs a scope: read, write or admin" }
        if scopes.contains(.admin), !devicePrefix.isEmpty { return "admin is for everything: it goes with no device prefix" }
        if devicePrefix.utf8.count > Limits.deviceByteCount {
            return "a device prefix has at most \(Limits.deviceByteCount) bytes, as an id has"
        }
        return nil
    }

    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }
}

extension Token {
    /// What is wrong with a line, as the end of a sentence.
    package struct Malformed: Error, Sendable {
        package let reason: String
    }

    /// Reads a line of the file.
    package init(line: String) throws(Malformed) {
        let parts = line.split(whereSeparator: Self.isBlank).map(String.init)
        guard parts.count >= 3, parts[1].hasPrefix("sha256:") else {
            throw Malformed(reason: "expected NAME sha256:HASH SCOPE[,SCOPE] created=TIME [expires=TIME] [device_prefix=PREFIX]")
        }
        guard let digest = TokenDigest(hexadecimal: parts[1].dropFirst("sha256:".count)) else {
            throw Malformed(reason: "the hash is not 64 digits of hex")
        }
        var scopes: Set<Access.Scope> = []
        for word in parts[2].split(separator: ",", omittingEmptySubsequences: false) {
            guard let scope = Access.Scope(rawValue: String(word)) else {
                throw Malformed(reason: "there is no scope \(word.debugDescription); there are read, write and admin")
            }
            scopes.insert(scope)
        }
        self.init(name: parts[0], digest: digest, scopes: scopes, created: .distantPast)
        try readOptions(parts[3...])
        guard created != .distantPast else { throw Malformed(reason: "created=TIME is missing") }
        if let mistake { throw Malformed(reason: mistake) }
    }

    private mutating func readOptions(_ parts: ArraySlice<String>) throws(Malformed) {
        var seen: Set<Substring> = []
        for part in parts {
            let key = part.prefix { $0 != "=" }
            let value = part.dropFirst(key.count + 1)
            guard seen.insert(key).inserted else { throw Malformed(reason: "\(key) is given more than once") }
            switch key {
            case "created": created = try Self.time(value, of: key)
            case "expires": expires = try Self.time(value, of: key)
            case "device_prefix":
                guard let prefix = PercentEncoding.decode(value), !prefix.isEmpty else {
                    throw Malformed(reason: "device_prefix is not percent-encoded UTF-8, or empty")
                }
                devicePrefix = prefix
            default:
                throw Malformed(reason: "there is no \(key.debugDescription); there are created, expires and device_prefix")
            }
        }
    }

    static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\r" }

    private static func time(_ text: Substring, of key: Substring) throws(Malformed) -> Timestamp {
        guard let time = Timestamp(rfc3339: String(text)) else {
            throw Malformed(reason: "\(key) must be a time like 2026-01-31T12:00:00Z")
        }
        return time
    }

    /// The line that `init(line:)` reads.
    package var line: String {
        var line = "\(name) sha256:\(digest.text) \(scopeText) created=\(created.rfc3339)"
        if let expires { line += " expires=\(expires.rfc3339)" }
        if !devicePrefix.isEmpty { line += " device_prefix=\(PercentEncoding.encode(devicePrefix))" }
        return line
    }
}
