import ArgumentParser

struct Devices: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the devices of a table.")

    @Option(help: "Devices whose ids begin so.")
    var prefix: String?

    @Option(help: "Only devices that are online, stale or offline.", completion: .list(["online", "stale", "offline"]))
    var state: String?

    @Option(help: "id, or last_seen: heard last first.", completion: .list(["id", "last_seen"]))
    var sort: String?

    @Option(help: "Devices at most.")
    var limit = 1_000

    @Flag(help: "Print ids only, one a line.")
    var ids = false

    @Flag(help: ArgumentHelp("Print ids that no shell reads anything into, one a line.", visibility: .hidden))
    var words = false

    @Flag(help: "Print CSV.")
    var csv = false

    @OptionGroup var client: APIClient

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
        guard [ids, csv, client.json].count(where: { $0 }) < 2 else { throw ValidationError("--ids, --csv and --json exclude each other") }
    }

    func run() async throws {
        try await reporting {
            var list = DeviceList()
            let isForPeople = !csv && !client.json
            let hasMore = try await client.pages(limit: limit) { limit, token in
                let parameters = ["prefix": prefix, "state": state, "sort": sort, "limit": String(limit), "page_token": token]
                return try await client.get("/api/v1/devices", parameters.merging(["time": isForPeople ? "us" : "rfc3339"]) { $1 })
            } take: {
                list.add($0)
            }
            try writeOutput(text(of: list), terminator: csv ? "" : "\n")
            if hasMore, !ids, !words { note("more devices follow: raise --limit") }
        }
    }

    private func text(of list: DeviceList) -> String {
        if client.json { return list.json }
        if csv { return list.csv() }
        return ids ? list.ids : words ? list.words : list.tableText()
    }
}
