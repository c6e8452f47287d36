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

        init(_ bytes: [UInt8], encoding: String?) {
            self.bytes = ByteBuffer(bytes: bytes)
            tag = "\"\(ContentHash.text(bytes))\(encoding.map { "-\($0)" } ?? "")\""
            self.encoding = encoding
        }
    }

    init(_ bytes: [UInt8], contentType: String) {
        self.contentType = contentType
        plain = Form(bytes, encoding: nil)
        let gzip = Gzip.pack(bytes)
        packed = gzip.count < bytes.count ? Form(gzip, encoding: "gzip") : nil
    }

    /// Bytes of its body, packed and not.
    var byteCounts: (packed: Int, plain: Int) {
        (packed?.bytes.readableBytes ?? plain.bytes.readableBytes, plain.bytes.readableBytes)
    }

    /// 200, or 304 when the client has it already.
    ///
    /// Names carry no version, so nothing is taken from a cache unasked: `no-cache` means "ask first", and the answer is mostly 304.
    func response(to headers: HTTPFields, adding more: HTTPFields = [:]) -> Response {
        let form = AcceptedEncoding.allowsGzip(headers[.acceptEncoding]) ? packed ?? plain : plain
        var fields = more
        fields[.contentType] = contentType
        fields[.cacheControl] = "no-cache"
        fields[.eTag] = form.tag
        fields[.vary] = "accept-encoding"
        if let given = headers[.ifNoneMatch], EntityTag.matches(form.tag, given) {
            return Response(status: .notModified, headers: fields)
        }
        fields[.contentEncoding] = form.encoding
        return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: form.bytes))
    }
}

/// A hash that is the content's name.
enum ContentHash {
    /// FNV-1a of 128 bits, in hex: told apart are a few dozen files of ours, not those of somebody who wants two to be alike.
    /// Source: Fowler, Noll, Vo; draft-eastlake-fnv.
    static func text(_ bytes: [UInt8]) -> String {
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

/// `Accept-Encoding` (RFC 9110 §12.5.3).
enum AcceptedEncoding {
    /// Absent: any coding is fine, but who does not ask may not unpack. `q=0` is a no.
    static func allowsGzip(_ header: String?) -> Bool {
        guard let header else { return false }
        var answer: Bool?
        for element in header.lowercased().split(separator: ",") {
            let parts = element.filter { $0 != " " && $0 != "\t" }.split(separator: ";")
            guard let name = parts.first, name == "gzip" || name == "x-gzip" || name == "*" else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            // What names gzip outweighs the star.
            if name != "*" || answer == nil { answer = weight > 0 }
        }
        return answer ?? false
    }
}
