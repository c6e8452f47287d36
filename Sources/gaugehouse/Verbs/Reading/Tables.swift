import ArgumentParser

struct Tables: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the tables, what they hold, and for how long.")

    @Flag(help: "Print CSV.")
    var csv = false

    @OptionGroup var client: APIClient

    func validate() throws {
        guard client.table == nil else { throw ValidationError("all tables are shown: there is no --table here") }
        guard !csv || !client.json else { throw ValidationError("--csv and --json exclude each other") }
    }

    func run() async throws {
        try await reporting {
            let answer = try await client.get("/api/v1/tables", ["time": csv || client.json ? "rfc3339" : "us"])
            let list = TableList(tables: answer["tables"].elements)
            try writeOutput(client.json ? answer.json : csv ? list.csv() : list.tableText(), terminator: csv ? "" : "\n")
        }
    }
}
