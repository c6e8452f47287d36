import Crypto
import NIOCore

/// An object on its way to a bucket: one PUT, or a multipart upload once it is larger than `S3Options.multipartByteCount`.
///
/// Steps, and what a crash leaves after each:
/// 1. Bytes are gathered in memory. Nothing.
/// 2. Beyond the limit a multipart upload is begun, and each full part is sent with its checksum. Parts that nobody sees but the bill:
///    `discardUnfinished` aborts them.
/// 3. `commit` sends the object, or the last part and the completion, on condition that the key is free. The object, whole, or as 2.
/// 4. The object is asked for by HEAD, and compared. The object.
///
/// Step 4 decides, whatever step 3 was answered: the first try may have been stored and its answer lost.
///
/// One thread at a time.
final class S3Upload: ObjectUpload {
    private struct Part {
        var entityTag: String
        var digest: [UInt8]
    }

    /// S3's.
    private static let partCountLimit = 10_000

    private let client: S3Client
    private let key: String
    /// Says that an object is this upload's, where the server keeps no checksums.
    private let nonce: String
    private var buffer = ByteBuffer()
    private var byteCount = 0
    private var uploadID: String?
    private var parts: [Part] = []
    private var isFinished = false

    /// - Parameter key: in the bucket.
    init(_ client: S3Client, key: String) {
        self.client = client
        self.key = key
        nonce = TextEncoding.hex((0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }

    /// Waits for one answer of the server, if parts were sent: what it does not abort now, `discardUnfinished` does.
    deinit { abort() }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ObjectError) {
        guard !isFinished else { throw ObjectError(.internal, "\(name) is finished; nothing can be written to it") }
        var rest = bytes[...]
        while !rest.isEmpty {
            let limit =
                uploadID == nil ? max(client.options.multipartByteCount, client.options.partByteCount) : client.options.partByteCount
            // One byte more decides that parts are needed; it waits for the next one.
            if buffer.readableBytes >= limit { try orAbort { () throws(ObjectError) in try sendFullParts() } }
            let count = min(rest.count, max(limit - buffer.readableBytes, 1))
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            byteCount += count
            rest = rest.dropFirst(count)
        }
    }

    func commit() throws(ObjectError) {
        guard !isFinished else { throw ObjectError(.internal, "\(name) is finished already") }
        try orAbort { () throws(ObjectError) in
            if uploadID == nil, buffer.readableBytes > client.options.multipartByteCount { try sendFullParts() }
            if uploadID != nil { try commitParts() } else { try commitWhole() }
        }
        isFinished = true
        buffer = ByteBuffer()
    }

    private var name: String { "s3://\(client.location.bucket)/\(key)" }

    // MARK: One request

    private func commitWhole() throws(ObjectError) {
        var request = S3Request(.put, key)
        request.setBody(buffer)
        let checksum = TextEncoding.base64(request.bodyDigest)
        request.headers = [("if-none-match", "*"), ("x-amz-checksum-sha256", checksum), (S3Head.nonceHeader, nonce)] + S3Upload.contentType
        try settle(request, checksum: checksum)
    }

    static let contentType = [(name: "content-type", value: "application/octet-stream")]

    // MARK: In parts

    private func sendFullParts() throws(ObjectError) {
        let partByteCount = client.options.partByteCount
        if uploadID == nil { uploadID = try beginParts() }
        while buffer.readableBytes >= partByteCount, let part = buffer.readSlice(length: partByteCount) { try send(part) }
        // What was read still takes memory.
        var rest = ByteBuffer()
        rest.reserveCapacity(partByteCount)
        rest.writeBuffer(&buffer)
        buffer = rest
    }

    private func beginParts() throws(ObjectError) -> String {
        var request = S3Request(.post, key)
        request.query = [("uploads", "")]
        request.headers =
            [("x-amz-checksum-algorithm", "SHA256"), ("x-amz-checksum-type", "COMPOSITE"), (S3Head.nonceHeader, nonce)]
            + S3Upload.contentType
        let answer = try send(request, "begin")
        guard let uploadID = answer.document?.value("UploadId") else {
            throw ObjectError(.internal, "begin \(name): the server gave no upload id")
        }
        return uploadID
    }

    private func send(_ part: ByteBuffer) throws(ObjectError) {
        guard parts.count < Self.partCountLimit, let uploadID else {
            throw ObjectError(
                .invalidDestination,
                "\(name) has more than \(Self.partCountLimit) parts of \(client.options.partByteCount) bytes; set larger parts")
        }
        var request = S3Request(.put, key)
        request.query = [("partNumber", "\(parts.count + 1)"), ("uploadId", uploadID)]
        request.setBody(part)
        request.headers = [("x-amz-checksum-sha256", TextEncoding.base64(request.bodyDigest))]
        let answer = try send(request, "send part \(parts.count + 1) of")
        guard let entityTag = answer.header("etag") else {
            throw ObjectError(.internal, "part \(parts.count + 1) of \(name): the server gave no ETag")
        }
        parts.append(Part(entityTag: entityTag, digest: request.bodyDigest))
    }

    private func commitParts() throws(ObjectError) {
        guard let uploadID else { return }
        if buffer.readableBytes > 0 { try send(buffer) }
        buffer = ByteBuffer()
        var request = S3Request(.post, key)
        request.query = [("uploadId", uploadID)]
        request.headers = [("if-none-match", "*"), ("content-type", "application/xml")]
        request.setBody(completion)
        request.handledByteCount = byteCount
        try settle(request, checksum: compositeChecksum)
    }

    private var completion: String {
        let parts = parts.enumerated().map { index, part in
            "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(Self.escaped(part.entityTag))</ETag>"
                + "<ChecksumSHA256>\(TextEncoding.base64(part.digest))</ChecksumSHA256></Part>"
        }
        return "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(parts.joined())</CompleteMultipartUpload>"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    /// SHA-256 of the parts' SHA-256, and their number: what S3 calls a composite checksum.
    private var compositeChecksum: String {
        var hash = SHA256()
        for part in parts { hash.update(data: part.digest) }
        return "\(TextEncoding.base64(Array(hash.finalize())))-\(parts.count)"
    }

    // MARK: The end

    private func send(_ request: S3Request, _ operation: String) throws(ObjectError) -> HTTPAnswer {
        do throws(S3Failure) { return try client.send(request) } catch { throw error.objectError("\(operation) \(name)") }
    }

    /// Sends what makes the object visible, and finds out whether it is.
    private func settle(_ request: S3Request, checksum: String) throws(ObjectError) {
        var failure: S3Failure?
        do throws(S3Failure) { _ = try client.send(request) } catch { failure = error }
        if let failure, !failure.isDoubtful { throw failure.objectError("write \(name)") }
        let found: S3Head?
        do throws(ObjectError) {
            found = try S3Head.ask(client, key, retry: failure?.status == nil && failure != nil ? Self.once : nil)
        } catch {
            // A server that hangs up on uploads with a wrong key says so when it is asked for less.
            throw error.code == .unreachable ? failure?.objectError("write \(name)") ?? error : error
        }
        guard let found else {
            throw failure?.objectError("write \(name)") ?? ObjectError(.internal, "\(name) was stored and is not there")
        }
        guard isOurs(found, checksum: checksum) else { throw ObjectError(.alreadyExists, "\(name) holds something else") }
    }

    private func isOurs(_ head: S3Head, checksum: String) -> Bool {
        guard head.byteCount == byteCount else { return false }
        return head.checksum.map { $0 == checksum } ?? (head.nonce == nonce)
    }

    private static var once: S3RetryBudget {
        var budget = S3RetryBudget()
        budget.attempts = 1
        return budget
    }

    private func orAbort(_ body: () throws(ObjectError) -> Void) throws(ObjectError) {
        do throws(ObjectError) {
            try body()
        } catch {
            abort()
            throw error
        }
    }

    /// One try: `discardUnfinished` comes after it.
    private func abort() {
        guard !isFinished else { return }
        isFinished = true
        buffer = ByteBuffer()
        guard let uploadID else { return }
        var request = S3Request(.delete, key)
        request.query = [("uploadId", uploadID)]
        request.retry = Self.once
        _ = try? client.send(request)
    }
}
