/// A request in the one spelling that both sides sign.
///
/// Source: AWS Signature Version 4, "Create a canonical request", with the rules of S3: the path is encoded once and not normalized.
struct CanonicalRequest {
    let method: String
    /// Not encoded; begins with `/`.
    let path: String
    /// Names and values, not encoded, in any order.
    var query: [(name: String, value: String)] = []
    /// Every header to be signed, in any order. `host` must be among them.
    var headers: [(name: String, value: String)]
    /// SHA-256 of the body, in hex.
    let payloadHash: String

    var text: String {
        let lines =
            [method, encodedPath, encodedQuery] + canonicalHeaders.map { "\($0.name):\($0.value)" } + ["", signedHeaders, payloadHash]
        return lines.joined(separator: "\n")
    }

    var encodedPath: String { PercentEncoding.encode(path, keepsSlashes: true) }

    /// Sorted, each name with `=`, also without a value. The request is sent with the very same text.
    var encodedQuery: String {
        query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }.sorted { $0 < $1 }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    var signedHeaders: String { canonicalHeaders.map(\.name).joined(separator: ";") }

    /// By name; the values of one name stay in their order, joined by commas.
    private var canonicalHeaders: [(name: String, value: String)] {
        let named = headers.map { (name: $0.name.lowercased(), value: Self.trimmed($0.value)) }
        return Dictionary(grouping: named, by: \.name)
            .map { (name: $0.key, value: $0.value.map(\.value).joined(separator: ",")) }.sorted { $0.name < $1.name }
    }

    /// Without spaces at the ends, and with single ones inside.
    private static func trimmed(_ value: String) -> String { value.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
