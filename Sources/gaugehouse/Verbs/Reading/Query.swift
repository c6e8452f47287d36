import ArgumentParser

struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the readings of devices in a range of time, their aggregates, or a plot of them.",
        discussion: """
            gaugehouse query line1/press --start -15m --field temp
            gaugehouse query line1/press --start -1d --step 5m --agg avg,max --plot
            gaugehouse query --prefix line1/ --where 'temp > 80' --csv
            """)

    @OptionGroup var request: SeriesRequest

    @Flag(help: "Draw each numeric column, as wide as the terminal.")
    var plot = false

    @Flag(help: "Print CSV.")
    var csv = false

    @OptionGroup var client: APIClient

    func validate() throws {
        guard [plot, csv, client.json].count(where: { $0 }) < 2 else {
            throw ValidationError("--plot, --csv and --json exclude each other")
        }
    }

    func run() async throws {
        try await reporting {
            let (answer, hasMore) = try await request.answer(of: client)
            if client.json {
                try writeOutput(answer.json)
            } else if csv {
                try writeOutput(answer.csv(), terminator: "")
            } else {
                try writeOutput(plot ? answer.plots(terminal: .output) : answer.tableText())
            }
            if hasMore { note("more rows follow: raise --limit, or narrow the range") }
        }
    }
}
