import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// A request that found its route: what a handler gets.
struct APIRequest: Sendable {
    let route: Route
    /// What its sender may see and do.
    let access: Access
    /// Decoded path captures.
    let captures: [String]
    let parameters: Parameters
    /// The raw query string, for routes that read it by themselves.
    let query: Substring
    let headers: HTTPFields
    let body: RequestBody
    /// Of the memory for all bodies; nil: this method has none.
    let bodyShare: BodyBudget.Share?
    /// The connection it came by.
    let channel: any Channel
    let logger: Logger

    /// Reads the body up to `limit` bytes.
    ///
    /// - Throws: 413 beyond it; the declared length is trusted to refuse, never to accept. 503 when the bodies of others take all memory.
    func collectBody(upTo limit: Int) async throws -> ByteBuffer {
        if let declared = headers[.contentLength].flatMap({ Int($0) }), declared > limit { throw Problem.bodyTooLarge(limit: limit) }
        var bytes = ByteBuffer()
        for try await part in body {
            let count = bytes.readableBytes + part.readableBytes
            guard count <= limit else { throw Problem.bodyTooLarge(limit: limit) }
            try bodyShare?.cover(count)
            // The first part is taken as it is.
            if bytes.readableBytes == 0 { bytes = part } else { bytes.writeImmutableBuffer(part) }
        }
        return bytes
    }

    /// The hash that page tokens of this query carry, and tags of its answer: with another device prefix it is another query.
    ///
    /// - Parameter members: of the body, where it says what is asked.
    func queryHash(table: String, adding parts: [String] = [], members: Parameters? = nil) -> QueryHash {
        var hash = QueryHash()
        hash.add(route.pattern)
        hash.add(access.prefix)
        hash.add(table)
        captures.forEach { hash.add($0) }
        parameters.add(to: &hash)
        members?.add(to: &hash)
        parts.forEach { hash.add($0) }
        return hash
    }
}
