import HTTPTypes
import Hummingbird

/// One line of the API: method, path, who may, parameters, handler.
final class Route: Sendable {
    enum ErrorForm {
        /// RFC 9457.
        case problem
        /// InfluxDB's, for its clients.
        case influx
    }

    private enum Segment {
        case literal(Substring)
        case capture
    }

    let method: HTTPRequest.Method
    /// `/api/v1/devices/{id}/latest`: also the label of its metrics.
    let pattern: String
    /// What it asks of whoever comes: there is no default, so that no route is open because nobody thought of it.
    let admission: Admission
    /// Names of the query parameters it takes; any other is a 400.
    let parameters: [String]
    /// It reads the query string by itself, by another API's rules: parameters it does not know are passed over.
    let readsOwnForm: Bool
    /// How its errors are written.
    let errors: ErrorForm
    let handler: @Sendable (APIRequest) async throws -> Response
    /// The same answer without waiting for anything, a thread or a disk; nil: this once it cannot be had so. Its errors are `handler`'s.
    let promptHandler: (@Sendable (APIRequest) throws -> WholeAnswer?)?
    /// Their names: `id`.
    let captureNames: [String]
    private let segments: [Segment]

    init(
        _ method: HTTPRequest.Method, _ pattern: String, needs admission: Admission, taking parameters: [String] = [],
        readsOwnForm: Bool = false, errors: ErrorForm = .problem,
        promptly promptHandler: (@Sendable (APIRequest) throws -> WholeAnswer?)? = nil,
        _ handler: @escaping @Sendable (APIRequest) async throws -> Response
    ) {
        self.method = method
        self.pattern = pattern
        self.admission = admission
        self.parameters = parameters
        self.readsOwnForm = readsOwnForm
        self.errors = errors
        self.handler = handler
        self.promptHandler = promptHandler
        captureNames = RequestTarget(pattern).segments.filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
        segments = RequestTarget(pattern).segments.map { $0.hasPrefix("{") ? .capture : .literal($0) }
    }

    /// The path of a request, for the log: a long capture is cut, so that nobody fills it with names.
    func path(with captures: [String]) -> String {
        zip(captureNames, captures).reduce(pattern) { path, capture in
            let shown = PercentEncoding.encode(capture.1).replacing("/", with: "%2F").prefix(Self.shownCaptureLength)
            return path.replacing("{\(capture.0)}", with: shown)
        }
    }

    private static let shownCaptureLength = 100

    /// The captures, still encoded; nil when the path is another's. A capture is never empty.
    func captures(of path: [Substring]) -> [Substring]? {
        guard path.count == segments.count else { return nil }
        var captures: [Substring] = []
        for (segment, part) in zip(segments, path) {
            switch segment {
            case .capture where part.isEmpty: return nil
            case .capture: captures.append(part)
            case .literal(let text) where text != part: return nil
            case .literal: continue
            }
        }
        return captures
    }
}

/// Finds the route of a request. A dozen routes: a walk over the table is quick enough.
struct RouteTable: Sendable {
    enum Match {
        case found(Route, captures: [Substring])
        /// The path exists, for other methods.
        case otherMethods([HTTPRequest.Method])
        case none
    }

    let routes: [Route]

    /// HEAD is answered wherever GET is.
    func match(_ method: HTTPRequest.Method, path: [Substring]) -> Match {
        let wanted = method == .head ? .get : method
        var others: [HTTPRequest.Method] = []
        for route in routes {
            guard let captures = route.captures(of: path) else { continue }
            if route.method == wanted { return .found(route, captures: captures) }
            others += route.method == .get ? [.get, .head] : [route.method]
        }
        return others.isEmpty ? .none : .otherMethods(others)
    }
}
