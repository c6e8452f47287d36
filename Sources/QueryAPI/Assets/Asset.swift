import HTTPTypes
import Hummingbird

/// A file that is served as it is: its bytes, packed once at the start, and what a client may know of it.
struct Asset: Sendable {
    let contentType: String
    private let plain: Form
    /// Nil where packing does not pay.
    private let packed: Form?

    /// One way to send it. Each has a tag of its own: the tag is that of the bytes (RFC 9110 §8.8.3).
    private struct Form: Sendable {
        let bytes: ByteBuffer
        let tag: String
        let encoding: String?

        init(_ bytes: ByteBuffer, encoding: String?) {
            self.bytes = bytes
            tag = "\"\(ContentHash.text(bytes.readableBytesView))\(encoding.map { "-\($0)" } ?? "")\""
            self.encoding = encoding
        }
    }

    init(_ bytes: [UInt8], contentType: String) {
        self.contentType = contentType
        let whole = ByteBuffer(bytes: bytes)
        plain = Form(whole, encoding: nil)
        let gzip = GzipPacker(.smallest)?.pack(whole, isLast: true)
        packed = gzip.flatMap { $0.readableBytes < bytes.count ? Form($0, encoding: "gzip") : nil }
    }

    /// 200, or 304 when the client has it already.
    ///
    /// Names carry no version, so nothing is taken from a cache unasked: `no-cache` means "ask first", and the answer is mostly 304.
    func response(to headers: HTTPFields, adding more: HTTPFields = [:]) -> Response {
        let form = AcceptedEncoding.takesGzip(headers[.acceptEncoding]) ? packed ?? plain : plain
        var fields = more
        fields[.contentType] = contentType
        fields[.cacheControl] = "no-cache"
        fields[.eTag] = form.tag
        if let given = headers[.ifNoneMatch], EntityTag.matches(form.tag, given) {
            return Response(status: .notModified, headers: fields)
        }
        // To what has no coding yet the responder adds this itself.
        if form.encoding != nil { fields[.vary] = "accept-encoding" }
        fields[.contentEncoding] = form.encoding
        return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: form.bytes))
    }
}

/// A hash that is the content's name.
enum ContentHash {
    /// FNV-1a of 128 bits, in hex: told apart are a few dozen files of ours, not those of somebody who wants two to be alike.
    /// Source: Fowler, Noll, Vo; draft-eastlake-fnv.
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013B
        var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        for byte in bytes { hash = (hash ^ UInt128(byte)) &* prime }
        return String(hash, radix: 16)
    }
}

/// `If-None-Match` (RFC 9110 §13.1.2).
enum EntityTag {
    /// - Parameter given: a list of tags, or `*`. The comparison is the weak one: `W/"a"` matches `"a"`.
    static func matches(_ tag: String, _ given: String) -> Bool {
        given.split(separator: ",").contains { part in
            let text = part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            let candidate = String(text)
            return candidate == "*" || candidate == tag || candidate == "W/" + tag
        }
    }
}
