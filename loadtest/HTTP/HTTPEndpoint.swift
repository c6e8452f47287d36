/// Where an HTTP server listens: `http://host[:port][/path]`; IPv6 hosts stand in brackets. No TLS.
struct HTTPEndpoint: Equatable, Sendable {
    let host: String
    let port: UInt16
    /// Without a slash at the end.
    let basePath: String

    init?(url: String) {
        guard url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" }
        var path = rest.dropFirst(authority.count)
        while path.last == "/" { path.removeLast() }
        let isBracketed = authority.first == "["
        guard let hostEnd = isBracketed ? authority.lastIndex(of: "]") : (authority.lastIndex(of: ":") ?? authority.endIndex) else {
            return nil
        }
        let portText = authority[hostEnd...].drop { $0 == "]" }
        guard let port = portText.isEmpty ? 80 : portText.first == ":" ? UInt16(portText.dropFirst()) : nil else { return nil }
        host = String(isBracketed ? authority[..<hostEnd].dropFirst() : authority[..<hostEnd])
        guard !host.isEmpty else { return nil }
        self.port = port
        basePath = String(path)
    }

    var name: String { "\(host):\(port)" }

    /// Request line and header fields up to the empty line.
    func requestHead(_ method: String, _ target: String, token: String?, content: (type: String, byteCount: Int)? = nil) -> String {
        var head = "\(method) \(basePath)\(target) HTTP/1.1\r\nHost: \(name)\r\nAccept: application/json\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        if let content { head += "Content-Type: \(content.type)\r\nContent-Length: \(content.byteCount)\r\n" }
        return head + "\r\n"
    }
}
