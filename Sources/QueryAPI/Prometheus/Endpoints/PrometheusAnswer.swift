import HTTPTypes
import Hummingbird
import Telemetry

/// Prometheus' envelope around an answer, or around an error.
extension PrometheusError {
    func response() -> Response {
        var json = JSONWriter()
        json.object { json in
            json.member("status", "error")
            json.member("errorType", kind.name)
            json.member("error", message)
        }
        json.endLine()
        var headers: HTTPFields = [.contentType: AnswerFormat.json.contentType]
        if kind == .unavailable { headers[.retryAfter] = "1" }
        return Response(
            status: HTTPResponse.Status(code: kind.status), headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }
}

extension JSONWriter {
    mutating func labels(_ labels: SeriesLabels) {
        object { json in
            if let name = labels.name { json.member(LabelMatcher.metricName, name) }
            if let device = labels.device { json.member("device", device) }
            if let table = labels.table { json.member("table", table) }
        }
    }

    /// `[1764000000.5,"21.5"]`.
    fileprivate mutating func sample(_ time: Timestamp, _ value: Double) {
        array { json in
            json.time(time, as: .seconds)
            var text: [UInt8] = [UInt8(ascii: "\"")]
            text.append(prometheus: value)
            text.append(UInt8(ascii: "\""))
            json.raw(text)
        }
    }
}

extension [UInt8] {
    /// A number as Prometheus writes it: whole ones without a fraction, and those that are none by name.
    fileprivate mutating func append(prometheus value: Double) {
        if value.isNaN {
            append(text: "NaN")
        } else if value.isInfinite {
            append(text: value < 0 ? "-Inf" : "+Inf")
        } else if let whole = Int64(exactly: value), whole.magnitude <= 1 << 53 {
            if whole == 0, value.sign == .minus { append(ascii: "-") }
            append(decimal: whole)
        } else {
            append(double: value)
        }
    }
}

/// The result of a query, written series by series.
struct PrometheusPieces: PieceSource {
    private static let pieceByteCount = 64 << 10

    private let steps: StepTimes
    private let isInstant: Bool
    private let result: PromQLResult
    private var index = 0

    /// - Parameter isInstant: one value a series, and not a list of them.
    init(_ result: PromQLResult, steps: StepTimes, isInstant: Bool) {
        self.steps = steps
        self.isInstant = isInstant
        if !isInstant, case .scalar(let value) = result {
            // A range of a scalar is a series without labels.
            let values = Array(repeating: Optional(value), count: steps.count)
            self.result = .vector([PromQLResult.Series(labels: SeriesLabels(), values: values)])
        } else {
            self.result = result
        }
    }

    mutating func next(_ json: inout JSONWriter) -> Bool {
        if index == 0 { begin(&json) }
        while index < count {
            guard json.bytes.count < Self.pieceByteCount else { return true }
            writeSeries(&json)
            index += 1
        }
        json.endArray()
        json.endObject()
        json.endObject()
        json.endLine()
        return false
    }

    private var count: Int {
        switch result {
        case .scalar: 1
        case .vector(let series): series.count
        case .samples(let series): series.count
        }
    }

    private var typeName: String {
        switch result {
        case .scalar: "scalar"
        case .vector: isInstant ? "vector" : "matrix"
        case .samples: "matrix"
        }
    }

    private func begin(_ json: inout JSONWriter) {
        json.beginObject()
        json.member("status", "success")
        json.key("data")
        json.beginObject()
        json.member("resultType", typeName)
        json.key("result")
        if case .scalar(let value) = result {
            json.beginArray()
            json.time(steps.start, as: .seconds)
            var text: [UInt8] = [UInt8(ascii: "\"")]
            text.append(prometheus: value)
            text.append(UInt8(ascii: "\""))
            json.raw(text)
        } else {
            json.beginArray()
        }
    }

    private func writeSeries(_ json: inout JSONWriter) {
        switch result {
        case .scalar: break
        case .vector(let all):
            let series = all[index]
            json.object { json in
                json.key("metric")
                json.labels(series.labels)
                json.key(isInstant ? "value" : "values")
                if isInstant {
                    series.values[0].map { json.sample(steps.start, $0) }
                } else {
                    json.array { json in
                        for step in 0..<steps.count { series.values[step].map { json.sample(steps[step], $0) } }
                    }
                }
            }
        case .samples(let all):
            json.object { json in
                json.key("metric")
                json.labels(all[index].labels)
                json.key("values")
                json.array { json in all[index].samples.forEach { json.sample($0.time, $0.value) } }
            }
        }
    }
}
