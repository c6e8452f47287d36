import AsyncHTTPClient

/// Why a request did not succeed: the server's answer, or that there was none.
struct S3Failure: Error {
    private static let messageLengthLimit = 300
    /// What may pass by itself, whatever the status.
    private static let transientCodes: Set = [
        "BadDigest", "ConditionalRequestConflict", "IncompleteBody", "InternalError", "OperationAborted", "RequestTimeout",
        "ServiceUnavailable", "SlowDown", "TooManyRequests",
    ]
    private static let transientStatuses: Set = [307, 408, 429, 500, 502, 503, 504]

    /// nil: no whole answer.
    var status: Int?
    /// S3's word for it; empty if there was none.
    var code = ""
    var message = ""
    var requestID = ""
    /// The region that the bucket is in, if the server said so.
    var region: String?
    /// How far the server's clock is ahead of ours, if it can be known.
    var clockDifferenceSeconds: Int?
    var retryAfter: Duration?
    /// Credentials that could not be read: nothing was sent.
    var credentialsError: ObjectError?
    /// The answer was longer than was asked for.
    var isAnswerTooLong = false

    /// What AsyncHTTPClient or NIO threw.
    init(_ error: any Error) {
        isAnswerTooLong = error is ResponseAccumulator.ResponseTooBigError
        // Of HTTPClientError only what holds no value of a header.
        message = Self.sanitized((error as? HTTPClientError)?.shortDescription ?? "\(error)")
    }

    init(credentials error: ObjectError) { credentialsError = error }

    /// - Parameter now: seconds since the epoch.
    init(_ answer: HTTPAnswer, credentials: S3Credentials, now: Int) {
        status = answer.status
        let document = answer.document
        let error = document?.name == "Error" ? document : nil
        code = Self.sanitized(credentials.redact(error?.value("Code") ?? ""))
        message = Self.sanitized(credentials.redact(error?.value("Message") ?? ""))
        requestID = Self.sanitized(error?.value("RequestId") ?? answer.header("x-amz-request-id") ?? "")
        region = (error?.value("Region") ?? answer.header("x-amz-bucket-region")).map(Self.sanitized)
        let serverTime = error?.value("ServerTime") ?? answer.header("date")
        clockDifferenceSeconds = serverTime.flatMap(ServerTime.seconds).map { $0.subtractingReportingOverflow(now).partialValue }
        retryAfter = answer.header("retry-after").flatMap { ServerTime.pause($0, now: now) }
    }

    /// Whether the same request may succeed a moment later.
    var isTransient: Bool {
        if credentialsError != nil || isAnswerTooLong { return false }
        if isNoSpace { return false }
        guard let status else { return true }
        return Self.transientCodes.contains(code) || (Self.transientStatuses.contains(status))
    }

    /// Whether the server may have done what was asked all the same, in this try or an earlier one.
    var isDoubtful: Bool {
        if credentialsError != nil { return false }
        return isTransient || isExisting || code == "NoSuchUpload"
    }

    /// The server knows us not, or no longer.
    var isRejection: Bool { status == 401 || status == 403 || code == "ExpiredToken" }

    /// The key is known, and lacks a permission; S3 says the same of a missing object to a key that may not list.
    var isForbidden: Bool { code == "AccessDenied" || (code.isEmpty && status == 403) }

    var isMissing: Bool { status == 404 && (code.isEmpty || code == "NoSuchKey" || code == "404") }

    var isNoSpace: Bool {
        if status == 507 || code.contains("Quota") || code.contains("StorageFull") || code == "InsufficientStorage" { return true }
        let text = message.lowercased()
        return ["no more free space", "no space left", "no free volumes", "no writable volumes", "quota exceeded", "storage full"]
            .contains { text.contains($0) }
    }

    /// An object stands under the key.
    var isExisting: Bool { status == 412 || (status == 409 && !Self.transientCodes.contains(code)) }

    /// One line, of a bounded length.
    private static func sanitized(_ text: String) -> String {
        String(text.prefix(messageLengthLimit).map { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } ? $0 : " " })
    }
}
