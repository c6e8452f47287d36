/// What HEAD tells of an object.
struct S3Head {
    /// Goes with the object when it is written.
    static let nonceHeader = "x-amz-meta-gaugehouse-upload"

    let byteCount: Int
    /// `x-amz-checksum-sha256`, if the server keeps it.
    let checksum: String?
    /// Of the upload that made it; nil: not one of ours.
    let nonce: String?

    /// - Parameter retry: nil: as the options say.
    /// - Returns: nil if there is no object under the key.
    static func ask(_ client: S3Client, _ key: String, retry: S3RetryBudget? = nil) throws(ObjectError) -> S3Head? {
        var request = S3Request(.head, key)
        request.headers = [("x-amz-checksum-mode", "ENABLED")]
        request.retry = retry
        let operation = "look for s3://\(client.location.bucket)/\(key)"
        let answer: HTTPAnswer
        do throws(S3Failure) {
            answer = try client.send(request)
        } catch {
            if error.isMissing { return nil }
            let failure = explained(error, client, key, retry: retry)
            let advice = failure.isForbidden ? "; a key without s3:ListBucket is told so, too, when there is no such object" : ""
            throw ObjectError(failure.errorCode, failure.objectError(operation).detail + advice)
        }
        guard let byteCount = answer.header("content-length").flatMap({ Int($0) }), byteCount >= 0 else {
            throw ObjectError(.internal, "\(operation): the server gave no size")
        }
        return S3Head(byteCount: byteCount, checksum: answer.header("x-amz-checksum-sha256"), nonce: answer.header(nonceHeader))
    }

    /// An answer to HEAD has no body, so no code. The first byte of the object is asked for, to learn it.
    private static func explained(_ failure: S3Failure, _ client: S3Client, _ key: String, retry: S3RetryBudget?) -> S3Failure {
        guard failure.status == 400 || failure.status == 401 || failure.status == 403, failure.code.isEmpty else { return failure }
        var request = S3Request(.get, key)
        request.headers = [("range", "bytes=0-0")]
        request.retry = retry
        do throws(S3Failure) {
            _ = try client.send(request)
            return failure
        } catch {
            return error.status == nil ? failure : error
        }
    }
}
