import Crypto

/// AWS Signature Version 4, in the `Authorization` header.
struct RequestSigner {
    private static let algorithm = "AWS4-HMAC-SHA256"

    let credentials: S3Credentials
    let region: String
    var service = "s3"

    /// The value of the `Authorization` header.
    func authorization(_ request: CanonicalRequest, at time: SigningTime) -> String {
        let credential = "\(credentials.accessKeyID)/\(scope(time))"
        return
            "\(Self.algorithm) Credential=\(credential), SignedHeaders=\(request.signedHeaders), Signature=\(signature(request, at: time))"
    }

    func signature(_ request: CanonicalRequest, at time: SigningTime) -> String {
        var key = Array("AWS4\(credentials.secretAccessKey)".utf8)
        for part in [time.date, region, service, "aws4_request"] { key = Self.code(part, key: key) }
        return TextEncoding.hex(Self.code(stringToSign(request, at: time), key: key))
    }

    func stringToSign(_ request: CanonicalRequest, at time: SigningTime) -> String {
        let hash = TextEncoding.hex(SHA256.hash(data: Array(request.text.utf8)))
        return [Self.algorithm, time.timestamp, scope(time), hash].joined(separator: "\n")
    }

    private func scope(_ time: SigningTime) -> String { "\(time.date)/\(region)/\(service)/aws4_request" }

    private static func code(_ text: String, key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }
}
