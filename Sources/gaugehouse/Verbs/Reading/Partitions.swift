import ArgumentParser

struct Partitions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the partitions, newest first, and what became of them.")

    @Option(help: "Only partitions that are open, sealed, delivering or delivered.")
    var state: String?

    @OptionGroup var client: APIClient

    func run() async throws {
        try await reporting {
            let answer = try await client.get("/api/v1/partitions", ["state": state, "time": "rfc3339"])
            if client.json { return try writeOutput(answer.json) }
            let rows = answer["partitions"].elements.map { partition in
                ["table", "start", "end", "state", "rows", "bytes", "segments"].map { partition[$0].cell }
                    + [String(partition["objects"].elements.count), partition["last_error"].cell]
            }
            let columns = ["TABLE", "START", "END", "STATE", "ROWS", "BYTES", "SEGMENTS", "OBJECTS", "LAST ERROR"]
            try writeOutput(TextTable(columns: columns, rows: rows).text)
        }
    }
}
