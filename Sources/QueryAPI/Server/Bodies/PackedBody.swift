import HTTPTypes
import Hummingbird

extension WholeAnswer {
    /// What a connection takes at once, nearly always: of more the server has to know how far it has come.
    private static let promptByteLimit = 32 << 10

    /// The answer for a client that takes it as it is; nil: it wants to be packed, which takes a thread, or is too long.
    func plain(for acceptEncoding: String?) -> WholeAnswer? {
        guard status != .notModified else { return self }
        guard body.readableBytes <= Self.promptByteLimit else { return nil }
        guard body.readableBytes < Response.leastPackedByteCount || !AcceptedEncoding.takesGzip(acceptEncoding) else { return nil }
        var answer = self
        answer.headers.append(varyByEncoding)
        return answer
    }
}

private let varyByEncoding = HTTPField(name: .vary, value: "accept-encoding")

extension Response {
    /// Below, an answer fits one packet anyway.
    fileprivate static let leastPackedByteCount = 1_024

    /// Types that shrink. Events are not among them: each must leave at once.
    private static let packable: Set<String> = [
        "application/json", "application/problem+json", "application/x-ndjson", "application/yaml", "text/csv", "text/plain", "text/html",
        "text/css",
        "text/javascript", "image/svg+xml",
    ]

    /// Packs the body with gzip when the client takes it and it is worth it. An answer in memory is still sent with its length; a stream is
    /// packed on its way.
    mutating func pack(for acceptEncoding: String?, on pool: BlockingPool) async throws {
        guard let type = headers[.contentType]?.prefix(while: { $0 != ";" }), Self.packable.contains(String(type)),
            headers[.contentEncoding] == nil
        else { return }
        headers.append(varyByEncoding)
        guard status == .ok, AcceptedEncoding.takesGzip(acceptEncoding),
            body.contentLength ?? .max >= Self.leastPackedByteCount,
            let packer = GzipPacker()
        else { return }
        headers[.contentEncoding] = "gzip"
        headers[.contentLength] = nil
        let plain = body
        guard plain.contentLength != nil else {
            body = ResponseBody { writer in try await plain.write(PackingWriter(parent: writer, packer: packer, pool: pool)) }
            return
        }
        let collector = Collector()
        try await plain.write(PackingWriter(parent: collector, packer: packer, pool: pool))
        body = ResponseBody(byteBuffer: collector.bytes)
    }
}

/// Packs what is written, on a thread where that holds up nobody.
private struct PackingWriter: ResponseBodyWriter {
    var parent: any ResponseBodyWriter
    let packer: GzipPacker
    let pool: BlockingPool

    mutating func write(_ buffer: ByteBuffer) async throws {
        let packed = try await pool.goOn { [packer] in packer.pack(buffer, isLast: false) }
        if packed.readableBytes > 0 { try await parent.write(packed) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await parent.write(packer.pack(ByteBuffer(), isLast: true))
        try await parent.finish(trailingHeaders)
    }
}

/// Keeps what is written. For one task.
private final class Collector: ResponseBodyWriter {
    private(set) var bytes = ByteBuffer()

    func write(_ buffer: ByteBuffer) async throws { bytes.writeImmutableBuffer(buffer) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

enum AcceptedEncoding {
    /// Whether an `Accept-Encoding` header takes gzip (RFC 9110 §12.5.3). Without a header nothing is packed: who understands it says so.
    static func takesGzip(_ header: String?) -> Bool {
        guard let header else { return false }
        var others: Double?
        for element in header.split(separator: ",") {
            let parts = element.split(separator: ";").map { String($0.filter { !$0.isWhitespace }).lowercased() }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }
            let quality = weight.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            switch parts.first {
            case "gzip", "x-gzip": return quality > 0
            case "*": others = quality
            default: continue
            }
        }
        return others ?? 0 > 0
    }
}
