import HTTPTypes

/// The media types of row answers.
enum AnswerFormat: String, CaseIterable, Sendable {
    case json, ndjson, csv

    var contentType: String {
        switch self {
        case .json: "application/json"
        case .ndjson: "application/x-ndjson"
        case .csv: "text/csv; charset=utf-8"
        }
    }

    private var mediaType: String { self == .csv ? "text/csv" : contentType }

    /// The client's favourite: highest quality, ours first among equals. Absent header: JSON.
    ///
    /// - Throws: 406 when nothing we write is acceptable. Source: RFC 9110 §12.5.1.
    static func accepted(by header: String?, among formats: [AnswerFormat]) throws(Problem) -> AnswerFormat {
        guard let header else { return .json }
        let ranges = header.split(separator: ",").map(MediaRange.init)
        var best: (format: AnswerFormat, quality: Double)?
        for format in formats {
            let range = ranges.filter { $0.matches(format.mediaType) }.max { $0.precision < $1.precision }
            guard let quality = range?.quality, quality > best?.quality ?? 0 else { continue }
            best = (format, quality)
        }
        if let best { return best.format }
        throw notAcceptable(formats.map(\.mediaType).joined(separator: ", "))
    }

    /// For a resource of one type.
    ///
    /// - Throws: 406 when the client does not take it.
    static func require(_ mediaType: String, by header: String?) throws(Problem) {
        guard let header else { return }
        let range = header.split(separator: ",").map(MediaRange.init).filter { $0.matches(mediaType) }
            .max { $0.precision < $1.precision }
        guard let range, range.quality > 0 else { throw notAcceptable(mediaType) }
    }

    private static func notAcceptable(_ names: String) -> Problem {
        Problem(.notAcceptable, "not-acceptable", "Not acceptable", "This resource is available as \(names).", param: "accept")
    }
}

/// One element of an `Accept` header.
private struct MediaRange {
    let type: String
    let quality: Double

    init(_ text: Substring) {
        let parts = text.split(separator: ";").map { String($0.filter { !$0.isWhitespace }).lowercased() }
        type = parts.first ?? ""
        let weight = parts.dropFirst().first { $0.hasPrefix("q=") }
        quality = weight.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
    }

    /// The exact type outweighs `text/*`, which outweighs `*/*`.
    var precision: Int { type == "*/*" ? 0 : type.hasSuffix("/*") ? 1 : 2 }

    func matches(_ mediaType: String) -> Bool {
        type == "*/*" || type == mediaType || (type.hasSuffix("/*") && mediaType.hasPrefix(type.dropLast()))
    }
}
