/// Why a query is not answered, in the words that Prometheus has for it.
struct PrometheusError: Error, Equatable {
    enum Kind {
        /// A parameter is missing or cannot be read; the query is no PromQL.
        case malformed
        /// The body has too many bytes.
        case tooLarge
        /// PromQL, but not of the subset, or for more points than an answer has.
        case unsupported
        /// The query would read or answer too much, or its answer would hold a series twice.
        case execution
        /// It took too long.
        case timeout
        /// Others are in the way; later it may be answered.
        case unavailable
        case `internal`

        var status: Int {
            switch self {
            case .malformed: 400
            case .tooLarge: 413
            case .unsupported, .execution: 422
            case .timeout, .unavailable: 503
            case .internal: 500
            }
        }

        /// `errorType` of the answer.
        var name: String {
            switch self {
            case .malformed, .tooLarge, .unsupported: "bad_data"
            case .execution: "execution"
            case .timeout: "timeout"
            case .unavailable: "unavailable"
            case .internal: "internal"
            }
        }
    }

    let kind: Kind
    let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    static func parameter(_ name: String, _ message: String) -> PrometheusError {
        PrometheusError(.malformed, "invalid parameter \"\(name)\": \(message)")
    }
}
