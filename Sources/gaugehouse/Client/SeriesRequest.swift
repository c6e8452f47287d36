import ArgumentParser
import Gateway

/// Which readings `query` is about.
struct SeriesRequest: ParsableArguments {
    @Argument(help: "Device ids; those of --prefix, or all, when absent.", completion: .devices)
    var devices: [String] = []

    @Option(help: "Devices whose ids begin so.")
    var prefix: String?

    // Unconditional: `-5m` is a time, not a flag.
    @Option(parsing: .unconditional, help: "First time: RFC 3339, epoch, or relative to now.")
    var start = "-1h"

    @Option(parsing: .unconditional, help: "First time not shown.")
    var end = "now"

    @Option(
        name: [.customLong("field"), .customLong("fields")],
        help: ArgumentHelp("Field; may be repeated, or several separated by commas. All when absent.", valueName: "field"))
    var fields: [String] = []

    @Option(help: "Length of windows, such as 1m: aggregates instead of rows.")
    var step: String?

    @Option(
        help: "Of each window: avg, min, max, sum, count, first, last, separated by commas.",
        completion: .list(["avg", "min", "max", "sum", "count", "first", "last"]))
    var agg: String?

    @Option(help: "What empty windows show: null, none, previous, linear.", completion: .list(["null", "none", "previous", "linear"]))
    var fill: String?

    @Option(help: "Time zone of windows of days, such as Europe/Berlin.")
    var align: String?

    @Option(name: .customLong("where"), help: ArgumentHelp("Only rows such as 'temp > 80'; may be repeated.", valueName: "condition"))
    var conditions: [String] = []

    @Option(help: "desc: newest first; asc: oldest first.", completion: .list(["desc", "asc"]))
    var order = "desc"

    @Option(help: "Rows at most, of all pages and devices together.")
    var limit = 1_000

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
        guard !devices.contains("") else { throw ValidationError("a device id is not empty") }
        guard devices.isEmpty || prefix == nil else { throw ValidationError("device ids and --prefix exclude each other") }
    }

    /// Asks for all pages.
    ///
    /// - Returns: the answer, and whether more rows follow.
    func answer(of client: APIClient) async throws -> (answer: SeriesAnswer, hasMore: Bool) {
        let members = try self.members(table: client.table)
        var answer = SeriesAnswer()
        let hasMore = try await client.pages(limit: limit) { limit, token in
            try await client.post(
                "/api/v1/query", members: members.merging(["limit": .integer(Int64(limit)), "page_token": .optional(token)]) { $1 })
        } take: {
            answer.add($0)
        }
        if let unknown = answer.series.first(where: \.isUnknown) {
            throw GatewayError("Not found: there is no device \(TextTable.shown(unknown.device)) in table \(answer.table)", .noInput)
        }
        return (answer, hasMore)
    }

    private func members(table: String?) throws(GatewayError) -> [String: JSONValue] {
        [
            "table": .optional(table), "devices": devices.isEmpty ? .null : .strings(devices), "prefix": .optional(prefix),
            "start": .string(start), "end": .string(end), "fields": fields.isEmpty ? .null : .strings(fields.commaSeparated),
            "step": .optional(step), "agg": agg.map { .strings([$0].commaSeparated) } ?? .null, "fill": .optional(fill),
            "align": .optional(align), "where": try ConditionText.all(conditions), "order": .string(order), "time": .string("us"),
        ]
    }
}

extension [String] {
    /// The parts of all elements.
    var commaSeparated: [String] { flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } }
}

extension JSONValue {
    static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
    static func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
}

extension CompletionKind {
    /// Ids of the devices of the gateway at the usual address. Shells expand what they are offered: never offer what a stranger wrote.
    static var devices: CompletionKind { .shellCommand("gaugehouse devices --words --limit 1000 2>/dev/null") }
}
