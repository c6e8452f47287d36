import ArgumentParser

struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the readings of a device in a range of time.")

    @Argument(help: "Device id.")
    var device: String

    // Unconditional: `-5m` is a time, not a flag.
    @Option(parsing: .unconditional, help: "First time: RFC 3339, epoch, or relative to now.")
    var start = "-1h"

    @Option(parsing: .unconditional, help: "First time not shown.")
    var end = "now"

    @Option(help: "Fields, separated by commas; all when absent.")
    var fields: String?

    @Option(help: "desc: newest first; asc: oldest first.")
    var order = "desc"

    @Option(help: "Rows at most, 1 to 100000.")
    var limit = 1_000

    @OptionGroup var client: APIClient

    func run() async throws {
        try await reporting {
            let answer = try await client.get(
                "/api/v1/devices/\(APIClient.escaped(device))/range",
                ["start": start, "end": end, "fields": fields, "order": order, "limit": String(limit), "time": "rfc3339"])
            if client.json { return print(answer.json) }
            let columns = answer["columns"].elements.map(\.["name"].cell)
            print(TextTable(columns: columns, rows: answer["rows"].elements.map { $0.elements.map(\.cell) }).text)
            if answer["next_page_token"].string != nil { print("(more rows follow: narrow the range or raise --limit)") }
        }
    }
}
