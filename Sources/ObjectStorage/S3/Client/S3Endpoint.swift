/// Where the requests for one bucket go.
struct S3Endpoint: Sendable, Equatable {
    /// `http` or `https`.
    let scheme: String
    /// The `Host` header: without the port that the scheme implies.
    let host: String
    /// What stands before a key: `/bucket/` in path style, `/` in host style.
    let bucketPath: String

    /// - Throws: `ObjectError.invalidDestination`, which says how to write the endpoint.
    init(_ options: S3Options, bucket: String) throws(ObjectError) {
        let authority: Authority
        if let endpoint = options.endpoint {
            authority = try Authority(endpoint)
        } else {
            let isChinese = options.region.hasPrefix("cn-")
            authority = try Authority("https://s3.\(options.region).amazonaws.com\(isChinese ? ".cn" : "")")
        }
        let isPathStyle =
            switch options.addressing {
            case .automatic: options.endpoint != nil || bucket.contains(".")
            case .path: true
            case .host: false
            }
        guard isPathStyle || !authority.isAddress else {
            throw ObjectError(.invalidDestination, "\(authority.host) is an IP address: it needs addressing 'path', or a name for 'host'")
        }
        scheme = authority.scheme
        host = (isPathStyle ? "" : bucket + ".") + authority.host + (authority.port.map { ":\($0)" } ?? "")
        bucketPath = isPathStyle ? "/\(bucket)/" : "/"
    }

    /// The path of a key, not encoded. An empty one is the bucket itself.
    func path(_ key: String) -> String {
        key.isEmpty && bucketPath.count > 1 ? String(bucketPath.dropLast()) : bucketPath + key
    }
}

/// `scheme://host:port`, taken apart.
private struct Authority {
    let scheme: String
    let host: String
    /// nil: the scheme's own.
    let port: UInt16?

    init(_ url: String) throws(ObjectError) {
        guard !url.contains("@") else {
            throw ObjectError(.invalidDestination, "an S3 endpoint has no credentials in it: write https://host:port")
        }
        let failure = ObjectError(.invalidDestination, "S3 endpoint '\(url)' must be written http://host:port or https://host:port")
        guard let scheme = ["http", "https"].first(where: { url.hasPrefix("\($0)://") }) else { throw failure }
        var rest = url.dropFirst(scheme.count + 3)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        // An IPv6 address stands in brackets, with colons inside.
        let hostEnd = rest.hasPrefix("[") ? rest.firstIndex(of: "]").map { rest.index(after: $0) } : rest.firstIndex(of: ":")
        let host = rest[..<(hostEnd ?? rest.endIndex)]
        let portText = rest[host.endIndex...]
        guard Self.isHost(host) else { throw failure }
        if portText.isEmpty {
            port = nil
        } else {
            guard portText.hasPrefix(":"), let number = UInt16(portText.dropFirst()), number > 0 else { throw failure }
            port = number == (scheme == "https" ? 443 : 80) ? nil : number
        }
        self.scheme = scheme
        self.host = host.lowercased()
    }

    var isAddress: Bool { host.hasPrefix("[") || host.split(separator: ".").allSatisfy { UInt8($0) != nil } }

    private static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("[") {
            return host.count > 3 && host.hasSuffix("]")
                && host.dropFirst().dropLast().utf8.allSatisfy { byte in
                    Character(Unicode.Scalar(byte)).isHexDigit || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
                }
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return host.utf8.count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty && label.utf8.count <= 63
                    && label.utf8.allSatisfy { byte in
                        let character = Character(Unicode.Scalar(byte))
                        return byte < 0x80 && (character.isLetter || character.isNumber || byte == UInt8(ascii: "-"))
                    }
            }
    }
}
