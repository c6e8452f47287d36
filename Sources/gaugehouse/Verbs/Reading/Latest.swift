import ArgumentParser

struct Latest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the newest values of a device, of some, or of the fleet.")

    @Argument(help: "Device ids; those of --prefix, or all, when absent.", completion: .devices)
    var devices: [String] = []

    @Option(help: "Devices whose ids begin so.")
    var prefix: String?

    @Option(
        name: [.customLong("field"), .customLong("fields")],
        help: ArgumentHelp("Field; may be repeated, or several separated by commas. All when absent.", valueName: "field"))
    var fields: [String] = []

    @Option(help: "Devices at most.")
    var limit = 1_000

    @Flag(help: "Print CSV.")
    var csv = false

    @OptionGroup var client: APIClient

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
        guard !devices.contains("") else { throw ValidationError("a device id is not empty") }
        guard devices.isEmpty || prefix == nil else { throw ValidationError("device ids and --prefix exclude each other") }
        guard !csv || !client.json else { throw ValidationError("--csv and --json exclude each other") }
    }

    func run() async throws {
        try await reporting {
            let request = LatestRequest(devices: devices, prefix: prefix, fields: fields.commaSeparated, limit: limit)
            if client.json, devices.count == 1 { return try writeOutput(try await request.one(of: client, time: "rfc3339").json) }
            let (answer, hasMore) = try await request.answer(of: client, time: client.json ? "rfc3339" : "us")
            try writeOutput(client.json ? answer.json : csv ? answer.csv() : answer.tableText(), terminator: csv ? "" : "\n")
            if hasMore { note("more devices follow: raise --limit") }
        }
    }
}
