import Crypto
import NIOCore

/// One request to a bucket, before it is signed.
struct S3Request {
    enum Method: String {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    /// Of error documents and answers to commands.
    static let documentByteLimit = 64 << 10

    let method: Method
    /// In the bucket; empty: the bucket itself.
    let key: String
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    private(set) var body: ByteBuffer?
    /// SHA-256 of the body, 32 bytes.
    private(set) var bodyDigest: [UInt8]
    /// A longer answer is an error.
    var answerByteLimit = documentByteLimit
    /// Bytes that the server handles beyond those sent and asked for: an upload's parts, when they are put together.
    var handledByteCount = 0
    /// Less than the options' budget: nil.
    var retry: S3RetryBudget?

    init(_ method: Method, _ key: String) {
        self.method = method
        self.key = key
        bodyDigest = Array(SHA256.hash(data: [UInt8]()))
    }

    mutating func setBody(_ body: ByteBuffer) {
        var hash = SHA256()
        body.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        bodyDigest = Array(hash.finalize())
        self.body = body
    }

    mutating func setBody(_ text: String) { setBody(ByteBuffer(string: text)) }
}
