import Dialects
import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry

extension Problem {
    /// The error in the form that InfluxDB's clients show: `error` is version 1's member, `code` and `message` are version 2's.
    ///
    /// Source: https://docs.influxdata.com/influxdb/v1/tools/api/#write-http-endpoint and …/influxdb/v2/api/ (schema Error).
    func influxResponse() -> Response {
        var json = JSONWriter()
        json.object { json in
            json.member("code", influxCode)
            json.member("message", influxMessage)
            json.member("error", influxMessage)
        }
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }

    /// Of a partly bad body it starts with `partial write`, by which Telegraf knows not to send the points again.
    private var influxMessage: String {
        guard let outcome else { return detail }
        let shown = outcome.badReadings.prefix(5).map { bad in
            "line \(bad.place.line ?? 0): \(bad.detail ?? bad.reason.rawValue)"
        }
        let hint = outcome.misfit.map { "; \($0.text)" } ?? ""
        return "partial write: \(shown.joined(separator: "; "))\(hint) dropped=\(outcome.rejectedCount)"
    }

    private var influxCode: String {
        switch status.code {
        case 400, 415: "invalid"
        case 401: "unauthorized"
        case 403: "forbidden"
        case 404: "not found"
        case 405: "method not allowed"
        case 413: "request too large"
        case 429: "too many requests"
        case 503: "unavailable"
        default: "internal error"
        }
    }
}
