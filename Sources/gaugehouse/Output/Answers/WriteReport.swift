/// What became of the readings of a file.
struct WriteReport {
    private var accepted: Int64 = 0
    private var rejected: Int64 = 0
    private var isCounted = true
    private var errors: [JSONValue] = []

    var rejectedCount: Int64 { rejected }

    /// - Parameter problem: of the piece; nil: all of it is stored.
    mutating func add(_ problem: JSONValue?, of piece: BodyFile.Piece) {
        guard let problem else {
            isCounted = false
            return
        }
        accepted += problem["accepted"].integer ?? 0
        rejected += problem["rejected"].integer ?? 0
        for case .object(var error) in problem["errors"].elements {
            if case .integer(let line)? = error["line"] { error["line"] = .integer(line + Int64(piece.lineOffset)) }
            errors.append(.object(error))
        }
    }

    var json: String {
        JSONValue.object([
            "accepted": isCounted ? .integer(accepted) : .null, "rejected": .integer(rejected), "errors": .array(errors),
        ]).json
    }

    var text: String {
        guard rejected > 0 else { return "all stored" }
        let rows = errors.map { error in
            let place = error["line"].integer.map { "line \($0)" } ?? "reading \((error["index"].integer ?? 0) + 1)"
            return [place, error["reason"].cell, error["detail"].cell]
        }
        let others = isCounted ? "\(accepted) stored" : "the others stored"
        let first = errors.count < rejected ? "; the first \(errors.count):" : ":"
        return "\(rejected) rejected, \(others)\(first)\n" + TextTable(columns: ["PLACE", "REASON", "DETAIL"], rows: rows).text
    }
}
