import ArgumentParser
import Foundation
import Gateway

extension Deliver {
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a delivery; it begins at once, and is there after a restart of the gateway.",
            discussion: """
                gaugehouse deliver create lake --destination s3://lake/telemetry --s3 archive --mode incremental
                gaugehouse deliver create --from lake.json
                Options that are not given have the defaults of [[delivery]] in the configuration. Exit codes: 64 what is asked for is \
                wrong, or there is a delivery of the name.
                """)

        @Argument(help: "Its name: 3 to 16 of a-z, 0-9 and '-'.")
        var name: String?

        @Option(help: "file:///absolute/directory or s3://bucket/prefix.")
        var destination: String?

        @Option(help: "aged, incremental, full or differential.", completion: .list(["aged", "incremental", "full", "differential"]))
        var mode: String?

        @Option(help: "aged: deliver a sealed partition this long after its window's end.")
        var age: String?

        @Option(help: "Folders: table=$table/day=$yyyy-$MM-$dd; also $HH, $mm, $task and $bucket.")
        var prefix: String?

        @Option(help: "Of what time a prefix speaks: reading or write.", completion: .list(["reading", "write"]))
        var prefixTime: String?

        @Option(help: "An object that reaches this is closed: 64MiB.")
        var maxObjectBytes: String?

        @Option(help: "incremental, differential: rows wait at most this long: 2m.")
        var maxObjectAge: String?

        @Option(help: "compact, or plain for old readers of Parquet.", completion: .list(["compact", "plain"]))
        var encoding: String?

        @Option(help: "zstd level, 1 to 19.")
        var compressionLevel: Int?

        @Flag(help: "Write a column with the number of the device's bucket.")
        var bucketColumn = false

        @Option(help: "Name of the delivery in the configuration whose [delivery.s3] is used, too.")
        var s3: String?

        @Option(help: "JSON file with the options of the delivery; - is standard input.", completion: .file())
        var from: String?

        @OptionGroup var client: APIClient

        func validate() throws {
            guard from == nil else {
                guard name == nil, definition.isEmpty else { throw ValidationError("--from holds all options: give no others") }
                return
            }
            guard name != nil else { throw ValidationError("the name of the delivery is missing; or give --from") }
            guard destination != nil else { throw ValidationError("--destination is missing; or give --from") }
        }

        /// What the flags say, as the API takes it.
        var definition: [String: JSONValue] {
            let texts = [
                "name": name, "table": client.table, "destination": destination, "mode": mode, "age": age, "prefix": prefix,
                "prefix_time": prefixTime, "max_object_age": maxObjectAge, "encoding": encoding, "s3": s3,
            ]
            var members = texts.compactMapValues { $0.map(JSONValue.string) }
            members["max_object_bytes"] = maxObjectBytes.map { text in Int64(text).map(JSONValue.integer) ?? .string(text) }
            members["compression_level"] = compressionLevel.map { .integer(Int64($0)) }
            if bucketColumn { members["bucket_column"] = .boolean(true) }
            return members
        }

        func run() async throws {
            try await reporting {
                let body = try from.map(Self.read) ?? Data(JSONValue.object(definition).json.utf8)
                let (answer, _) = try await client.manage(
                    "POST", DeliveryFlags.path, ["time": client.json ? "rfc3339" : "us"], body: body)
                let text = TextTable.shown("\(answer["name"].cell) delivers to \(answer["destination"].cell)")
                try writeOutput(client.json ? answer.json : text)
            }
        }

        private static func read(_ path: String) throws(GatewayError) -> Data {
            do {
                let handle = path == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: path))
                return try handle.readToEnd() ?? Data()
            } catch {
                throw GatewayError("cannot read \(TextTable.shown(path)): \(error.localizedDescription)", .noInput)
            }
        }
    }
}
