import ArgumentParser

struct Latest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the newest value of each field of a device.")

    @Argument(help: "Device id.")
    var device: String

    @Option(help: "Fields, separated by commas; all when absent.")
    var fields: String?

    @OptionGroup var client: APIClient

    func run() async throws {
        try await reporting {
            let answer = try await client.get(
                "/api/v1/devices/\(APIClient.escaped(device))/latest", ["fields": fields, "time": "rfc3339"])
            if client.json { return print(answer.json) }
            guard case .object(let values) = answer["values"] else { return }
            let rows = values.sorted { $0.key < $1.key }.map { [$0.key, $0.value["value"].cell, $0.value["time"].cell] }
            print(TextTable(columns: ["FIELD", "VALUE", "TIME"], rows: rows).text)
        }
    }
}
