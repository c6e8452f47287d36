import NIOCore

/// A bucket, or a prefix in one, as a destination: `s3://bucket/prefix`. The server must know `If-None-Match` on PUT and on the
/// completion of multipart uploads, as S3, SeaweedFS, MinIO and Ceph do.
///
/// What the key needs: `s3:PutObject`, `s3:GetObject`, `s3:AbortMultipartUpload`, `s3:ListBucketMultipartUploads` (see
/// `S3Options.abortsStaleUploads`), and `s3:ListBucket`, without which S3 answers 403 for an object that is not there.
package struct S3Destination: ObjectDestination {
    /// An answer is held in memory.
    private static let readByteCountLimit = 1 << 30

    package let location: S3Location
    private let client: S3Client

    /// - Throws: `ObjectError.invalidDestination` when the URL or an option cannot be; it says how to write it.
    package init(url: String, options: S3Options = S3Options()) throws(ObjectError) {
        let location = try S3Location(url: url)
        self.init(client: try S3Client(location, options))
    }

    init(client: S3Client) {
        location = client.location
        self.client = client
    }

    package var description: String { location.description }
    package var engineLocation: String { location.description }

    /// Lists one object at most. A key that may write and not list is told `AccessDenied`, which says nothing against it.
    package func prepare() throws(ObjectError) {
        var request = S3Request(.get, "")
        request.query = [("list-type", "2"), ("max-keys", "1"), ("prefix", location.prefix.isEmpty ? "" : location.prefix + "/")]
        do throws(S3Failure) {
            _ = try client.send(request)
        } catch {
            guard !error.isForbidden else { return }
            throw error.objectError("use \(description)")
        }
    }

    package func upload(_ key: ObjectKey, owner: String) throws(ObjectError) -> any ObjectUpload {
        S3Upload(client, key: try path(key))
    }

    package func stat(_ key: ObjectKey) throws(ObjectError) -> ObjectStat? {
        try S3Head.ask(client, path(key)).map { ObjectStat(byteCount: $0.byteCount) }
    }

    package func read(_ key: ObjectKey, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        guard offset >= 0, (0...Self.readByteCountLimit).contains(count), !offset.addingReportingOverflow(count).overflow else {
            throw ObjectError(.internal, "read \(location)/\(key): \(count) bytes from byte \(offset) cannot be asked for")
        }
        guard count > 0 else { return [] }
        var request = S3Request(.get, try path(key))
        request.headers = [("range", "bytes=\(offset)-\(offset + count - 1)")]
        request.answerByteLimit = max(count, S3Request.documentByteLimit)
        let answer = try send(request, "read \(location)/\(key)")
        guard answer.status == 206 || offset == 0, answer.body.readableBytes == count else {
            throw ObjectError(
                .internal, "read \(location)/\(key): \(answer.body.readableBytes) bytes came from byte \(offset), not \(count)")
        }
        return answer.bytes
    }

    package func replace(_ key: ObjectKey, with bytes: [UInt8]) throws(ObjectError) {
        var request = S3Request(.put, try path(key))
        request.setBody(ByteBuffer(bytes: bytes))
        request.headers = [("x-amz-checksum-sha256", TextEncoding.base64(request.bodyDigest))] + S3Upload.contentType
        _ = try send(request, "replace \(location)/\(key)")
    }

    package func discardUnfinished(in folder: String, owner: String) throws(ObjectError) {
        guard client.options.abortsStaleUploads else { return }
        // No owner has '_' in its name: every key with this prefix and without a further '/' is this owner's.
        let prefix = location.path(folder.isEmpty ? "\(owner)_" : "\(folder)/\(owner)_")
        try StaleUploads.abortAll(client, prefix: prefix)
    }

    /// - Throws: `ObjectError.invalidDestination` when prefix and key together are too long.
    private func path(_ key: ObjectKey) throws(ObjectError) -> String { try ObjectKey(location.path(key.text)).text }

    private func send(_ request: S3Request, _ operation: String) throws(ObjectError) -> HTTPAnswer {
        do throws(S3Failure) { return try client.send(request) } catch { throw error.objectError(operation) }
    }
}
