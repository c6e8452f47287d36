import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import Telemetry
import TelemetryStore

/// An error as a client sees it: RFC 9457 `application/problem+json`.
struct Problem: Error {
    var status: HTTPResponse.Status
    /// The last part of `type`.
    var slug: String
    var title: String
    var detail: String
    /// The query parameter, header or member at fault.
    var param: String?
    var headers: HTTPFields = [:]
    /// What was stored all the same, of a write.
    var outcome: WriteOutcome?

    init(_ status: HTTPResponse.Status, _ slug: String, _ title: String, _ detail: String, param: String? = nil) {
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.param = param
    }

    static func invalid(_ param: String, _ detail: String) -> Problem {
        Problem(.badRequest, "invalid-parameter", "Invalid parameter", detail, param: param)
    }

    static func notFound(_ detail: String, param: String? = nil) -> Problem {
        Problem(.notFound, "not-found", "Not found", detail, param: param)
    }

    static func methodNotAllowed(_ method: HTTPRequest.Method, allowed: [HTTPRequest.Method]) -> Problem {
        let names = allowed.map(\.rawValue).joined(separator: ", ")
        var problem = Problem(
            .methodNotAllowed, "method-not-allowed", "Method not allowed", "\(method.rawValue) is not answered here; \(names) are.")
        problem.headers[.allow] = names
        return problem
    }

    static func bodyTooLarge(limit: Int) -> Problem {
        Problem(.contentTooLarge, "too-large", "Body too large", "A body may have at most \(limit) bytes.")
    }

    /// 431 for a head beyond the limits, 400 for what is no HTTP.
    static func malformed(_ error: HTTPParserError) -> Problem {
        guard error == .headerOverflow else {
            return Problem(.badRequest, "malformed-request", "Malformed request", "This is no HTTP/1.1 request: \(error).")
        }
        return Problem(
            .requestHeaderFieldsTooLarge, "head-too-large", "Head too large",
            "A request's target and headers may have at most \(QueryOptions.headerByteLimit) bytes in at most "
                + "\(QueryOptions.headerCountLimit) headers.")
    }

    /// 503 with `Retry-After`.
    static func unavailable(_ slug: String, _ detail: String) -> Problem {
        var problem = Problem(.serviceUnavailable, slug, "Not available now", detail)
        problem.headers[.retryAfter] = "1"
        return problem
    }

    /// 429: every reading came faster than the table's limits allow. Sent again a little later, they are taken.
    static func tooFast(_ outcome: WriteOutcome) -> Problem {
        var problem = Problem(
            .tooManyRequests, "rate-limited", "Too many readings",
            "The table, or each device of the body, sends more readings a second than it may; none was stored.", param: "body")
        problem.headers[.retryAfter] = "1"
        problem.outcome = outcome
        return problem
    }

    /// 403: every reading is of a device that the token is not for.
    static func foreignDevices(_ outcome: WriteOutcome) -> Problem {
        var problem = Problem(.forbidden, "forbidden", "Forbidden", "The token is not for the devices of the body; none was stored.")
        problem.outcome = outcome
        return problem
    }

    static func store(_ error: StoreError) -> Problem {
        switch error.code {
        case .diskFull:
            let status = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
            var problem = Problem(status, "disk-full", "Disk full", error.detail)
            problem.headers[.retryAfter] = "10"
            return problem
        case .overloaded: return .unavailable("overloaded", error.detail)
        case .clock: return .unavailable("clock", error.detail)
        case .closed, .fatal: return .unavailable("store-stopped", error.detail)
        case .tooLarge: return Problem(.contentTooLarge, "too-large", "Too large", error.detail)
        case .invalid: return Problem(.badRequest, "invalid-query", "Invalid query", error.detail)
        case .corruption: return Problem(.internalServerError, "corruption", "Damaged data", error.detail)
        case .locked, .unusable, .configuration, .notInMemory:
            return Problem(.internalServerError, "store", "Store error", error.detail)
        }
    }

    static let contentType = "application/problem+json"

    func response(requestID: String) -> Response {
        var headers = headers
        headers[.contentType] = Self.contentType
        let body = ByteBuffer(bytes: json(requestID: requestID))
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    /// - Parameter requestID: nil: it never became a request.
    func json(requestID: String?) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.member("type", "/problems/\(slug)")
            json.member("title", title)
            json.member("status", status.code)
            json.member("detail", detail)
            if let param { json.member("param", param) }
            outcome?.write(to: &json)
            if let requestID { json.member("request_id", requestID) }
        }
        json.endLine()
        return json.bytes
    }
}
