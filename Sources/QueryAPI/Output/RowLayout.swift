import HTTPTypes

/// How rows are written.
struct RowLayout: Sendable {
    private enum Shape: String, CaseIterable { case table, objects }

    /// Rows of one page of JSON at most.
    static let pageLimit = 100_000
    /// Lines are streamed, and a client reads them one by one: a page may be an export of everything.
    static let streamLimit = 1_000_000_000

    let format: AnswerFormat
    /// Each row an object with named members; otherwise an array, or a line of CSV.
    let isObjects: Bool
    let time: TimeFormat
    /// Rows of the page.
    let limit: Int

    /// What `format`, `shape`, `time`, `limit` and the `Accept` header ask for.
    init(_ parameters: Parameters, headers: HTTPFields, isVersioned: Bool) throws(Problem) {
        if let format: AnswerFormat = try parameters.choice("format") {
            self.format = format
        } else {
            format = try AnswerFormat.accepted(by: headers[.accept], among: AnswerFormat.allCases)
        }
        if format == .csv, isVersioned { throw .invalid("versions", "CSV holds one version of a value; ask for format=json or ndjson.") }
        let shape: Shape? = try parameters.choice("shape")
        if shape != nil, format != .json { throw .invalid("shape", "shape is a matter of format=json.") }
        isObjects = shape == .objects || format == .ndjson
        time = try parameters.choice("time", default: .milliseconds)
        limit = try parameters.integer("limit", in: 1...(format == .json ? Self.pageLimit : Self.streamLimit), default: 1_000)
    }
}
