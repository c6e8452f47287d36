extension S3Failure {
    /// What the caller should do about it.
    var errorCode: ObjectError.Code {
        if let credentialsError { return credentialsError.code }
        if isAnswerTooLong { return .internal }
        guard let status else { return .unreachable }
        if isNoSpace { return .noSpace }
        if isExisting { return .alreadyExists }
        if let named = Self.codes[code] { return named }
        return switch status {
        case 401, 403: .unauthorized
        case 301, 308, 404, 405, 413, 414, 501: .invalidDestination
        case 307, 408, 429, 500...599, 409: .unreachable
        default: .internal
        }
    }

    /// Codes that their status does not tell.
    private static let codes: [String: ObjectError.Code] = [
        "AccessDenied": .unauthorized, "AccountProblem": .unauthorized, "ExpiredToken": .unauthorized, "InvalidAccessKeyId": .unauthorized,
        "InvalidToken": .unauthorized, "RequestTimeTooSkewed": .unauthorized, "SignatureDoesNotMatch": .unauthorized,
        "TokenRefreshRequired": .unauthorized,
        "AuthorizationHeaderMalformed": .invalidDestination, "EntityTooLarge": .invalidDestination, "EntityTooSmall": .invalidDestination,
        "IllegalLocationConstraintException": .invalidDestination, "InvalidBucketName": .invalidDestination,
        "KeyTooLong": .invalidDestination, "KeyTooLongError": .invalidDestination, "NoSuchBucket": .invalidDestination,
        "NotImplemented": .invalidDestination, "PermanentRedirect": .invalidDestination,
        "BadDigest": .unreachable, "IncompleteBody": .unreachable, "InternalError": .unreachable, "RequestTimeout": .unreachable,
        "ServiceUnavailable": .unreachable, "SlowDown": .unreachable, "TooManyRequests": .unreachable,
        "NoSuchUpload": .internal,
    ]

    /// - Parameter operation: what was tried, with the name of the object.
    func objectError(_ operation: String) -> ObjectError { ObjectError(errorCode, "\(operation): \(detail)") }

    private var detail: String {
        if let credentialsError { return credentialsError.detail }
        if isAnswerTooLong { return "the answer is longer than what was asked for" }
        guard let status else { return "no answer (\(message))" }
        let words = [String(status), code].filter { !$0.isEmpty }.joined(separator: " ")
        let said = message.isEmpty ? "" : ": \(message)"
        return words + said + advice + (requestID.isEmpty ? "" : " (request \(requestID))")
    }

    private var advice: String {
        switch code {
        case "RequestTimeTooSkewed": clockAdvice
        case "NoSuchUpload": "; somebody aborted it: does another gateway deliver here under the same name?"
        case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException": regionAdvice
        case _ where status == 301 || status == 400: regionAdvice
        case "NotImplemented": "; the server must know If-None-Match, multipart uploads and ranges"
        default: ""
        }
    }

    private var regionAdvice: String { region.map { "; set region = \"\($0)\"" } ?? "" }

    private var clockAdvice: String {
        guard let difference = clockDifferenceSeconds, difference != 0 else {
            return "; the clocks of this machine and of the server differ"
        }
        return "; this machine's clock is \(difference.magnitude) s \(difference > 0 ? "behind" : "ahead of") the server's"
    }
}
