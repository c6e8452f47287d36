import HTTPTypes
import Hummingbird

/// What pages of other origins may do in a visitor's browser: nothing, unless their origin is named (CORS); and where there are no tokens,
/// what keeps a page elsewhere from using the visitor's own way to this machine.
struct CrossOrigin: Sendable {
    /// `https://grafana.example.net`, exactly as browsers send them.
    let origins: Set<String>
    /// Only this machine reaches the server: its name is none that others' DNS could give.
    let isLoopback: Bool

    private static let safeMethods: Set<HTTPRequest.Method> = [.get, .head, .options]
    private static let requestHeaders = "authorization, content-type, content-encoding, if-none-match, last-event-id, x-request-id"
    private static let answerHeaders = "etag, retry-after, x-next-page-token, x-request-id"
    private static let preflightSeconds = 600

    /// For requests that nobody asks for a token.
    ///
    /// - Throws: 403 for a `Host` that DNS rebinding has put in place of ours, and for a change that another origin's page asks for.
    func check(_ head: HTTPRequest) throws(Problem) {
        let authority = head.authority?.lowercased() ?? ""
        let isOurs = !isLoopback || Self.isLocal(authority) || origins.contains { Self.authority(of: $0) == authority }
        guard isOurs else {
            throw .forbidden(
                "Without tokens, and listening at loopback, this answers to localhost and to addresses only, not to the name in Host. "
                    + "Set http.token_file, or add the origin of that name to http.cors_origins.")
        }
        guard !Self.safeMethods.contains(head.method), let origin = head.headerFields[.origin] else { return }
        guard origins.contains(origin) || Self.authority(of: origin.lowercased()) == authority else {
            throw .forbidden("A page of another origin may change nothing here. Add its origin to http.cors_origins if it is meant to.")
        }
    }

    /// The answer to a browser's question whether a page may send a request; nil: it is not one, or the page may not.
    func preflight(_ head: HTTPRequest, methods: [HTTPRequest.Method]) -> HTTPFields? {
        guard head.method == .options, head.headerFields[.accessControlRequestMethod] != nil,
            let origin = head.headerFields[.origin], origins.contains(origin)
        else { return nil }
        return [
            .accessControlAllowMethods: methods.map(\.rawValue).joined(separator: ", "),
            .accessControlAllowHeaders: Self.requestHeaders,
            .accessControlMaxAge: String(Self.preflightSeconds),
        ]
    }

    /// Tells the browser of a named origin that its page may see the answer. Never with cookies: tokens are sent by the page itself.
    func mark(_ headers: inout HTTPFields, origin: String?) {
        guard !origins.isEmpty else { return }
        headers.append(HTTPField(name: .vary, value: "Origin"))
        guard let origin, origins.contains(origin) else { return }
        headers[.accessControlAllowOrigin] = origin
        headers[.accessControlExposeHeaders] = Self.answerHeaders
    }

    /// `host:port` of `scheme://host:port`; nil for anything else, `null` included.
    private static func authority(of origin: String) -> String? {
        guard let scheme = origin.firstRange(of: "://") else { return nil }
        return String(origin[scheme.upperBound...])
    }

    /// None, an address, or a name that resolves on this machine alone: no DNS has a say in it.
    private static func isLocal(_ authority: String) -> Bool {
        if authority.isEmpty || authority.utf8.first == UInt8(ascii: "[") { return true }
        let host = Substring(authority.utf8.prefix { $0 != UInt8(ascii: ":") })
        return isIPv4Address(host) || host == "localhost" || host.hasSuffix(".localhost")
    }

    private static func isIPv4Address(_ host: Substring) -> Bool {
        let parts = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.count) && part.allSatisfy { (0x30...0x39).contains($0) } && UInt8(Substring(part)) != nil
            }
    }
}
