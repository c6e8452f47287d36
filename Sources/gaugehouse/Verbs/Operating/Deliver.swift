import ArgumentParser
import Foundation
import Gateway

struct Deliver: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show and change the deliveries: tasks that write tables as Parquet objects.",
        subcommands: [
            List.self, Show.self, Create.self, Delete.self, Pause.self, Resume.self, Restart.self, Statement.self,
        ],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show all deliveries, or those of --table.")

        @Flag(help: ArgumentHelp("Print names only, one a line.", visibility: .hidden))
        var names = false

        @OptionGroup var client: APIClient

        func run() async throws {
            try await reporting {
                let time = client.json ? "rfc3339" : "us"
                let all = try await client.manage("GET", DeliveryFlags.path, ["time": time]).answer["deliveries"].elements
                let list = DeliveryList(deliveries: client.table.map { table in all.filter { $0["table"].string == table } } ?? all)
                try writeOutput(client.json ? list.json : names ? list.names : list.tableText())
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one delivery, and what it went through, the newest first.")

        @OptionGroup var flags: DeliveryFlags

        func run() async throws {
            try await reporting {
                let answer = try await flags.client.manage("GET", flags.path, ["time": flags.client.json ? "rfc3339" : "us"]).answer
                try writeOutput(flags.client.json ? answer.json : DeliveryDetails(delivery: answer).text())
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a delivery that was created over the API; what it delivered stays.",
            discussion: "Rows that it has not delivered are kept for nobody any more: they go when their time is over.")

        @OptionGroup var flags: DeliveryFlags

        func run() async throws {
            try await reporting {
                _ = try await flags.client.manage("DELETE", flags.path)
                if !flags.client.json { try writeOutput("\(TextTable.shown(flags.name)) is deleted") }
            }
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deliver nothing until it is resumed; what waits is kept.")

        @OptionGroup var flags: DeliveryFlags

        func run() async throws { try await reporting { try await flags.change("pause", done: "is paused", later: "will be paused") } }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Go on after a pause.")

        @OptionGroup var flags: DeliveryFlags

        func run() async throws { try await reporting { try await flags.change("resume", done: "goes on", later: "will go on") } }
    }

    struct Restart: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begin anew: everything that the store holds is delivered again, in further objects.",
            discussion: "Objects that are there stay: readers of the folder see rows twice until the old ones are removed.")

        @OptionGroup var flags: DeliveryFlags

        @Flag(help: "Do not ask.")
        var yes = false

        func run() async throws {
            try await reporting {
                try confirm()
                try await flags.change("restart", done: "has begun anew", later: "will begin anew")
            }
        }

        private func confirm() throws(GatewayError) {
            guard !yes else { return }
            guard isatty(STDIN_FILENO) == 1 else {
                throw GatewayError("a restart delivers everything again: say --yes where nobody can be asked", .usage)
            }
            let question = "\(TextTable.shown(flags.name)) will deliver everything again, beside what is there. Go on? [y/N] "
            FileHandle.standardError.write(Data(question.utf8))
            guard ["y", "yes"].contains(readLine()?.lowercased()) else { throw GatewayError("nothing is changed", .usage) }
        }
    }

    struct Statement: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ddl", abstract: "Print a statement that makes a table of the objects, for another program.")

        @OptionGroup var flags: DeliveryFlags

        @Option(help: "duckdb, spark, trino or hive.", completion: .list(["duckdb", "spark", "trino", "hive"]))
        var engine: String

        func run() async throws {
            try await reporting {
                let text = try await flags.client.text(flags.path + "/ddl", ["engine": engine])
                let lines = text.hasSuffix("\n") ? String(text.dropLast()) : text
                try writeOutput(flags.client.json ? JSONValue.object(["statement": .string(lines)]).json : lines)
            }
        }
    }
}

/// One delivery, and where it is asked for.
struct DeliveryFlags: ParsableArguments {
    static let path = "/api/v1/deliveries"

    @Argument(help: "Name of the delivery.", completion: .deliveries)
    var name: String

    @OptionGroup var client: APIClient

    var path: String { "\(Self.path)/\(APIClient.escaped(name))" }

    func validate() throws {
        // Dots alone would be another path.
        guard !name.allSatisfy({ $0 == "." }) else { throw ValidationError("the name of a delivery is missing") }
        guard client.table == nil else { throw ValidationError("a delivery has its name: there is no --table here") }
    }

    /// - Parameters:
    ///   - done: what is true of it then.
    ///   - later: what will be.
    func change(_ verb: String, done: String, later: String) async throws {
        let (answer, isDone) = try await client.manage("POST", "\(path)/\(verb)", ["time": client.json ? "rfc3339" : "us"])
        if client.json { return try writeOutput(answer.json) }
        let end = isDone ? done : "\(later), as soon as it comes to an end of what it writes"
        try writeOutput("\(TextTable.shown(name)) \(end)")
    }
}

extension CompletionKind {
    /// Names of the deliveries of the gateway at the usual address.
    static var deliveries: CompletionKind { .shellCommand("gaugehouse deliver list --names 2>/dev/null") }
}
