import ArgumentParser
import Gateway

@main
struct Gaugehouse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gaugehouse",
        abstract: "Takes telemetry from MQTT, keeps the recent past ready, moves the older past to Parquet.",
        discussion:
            "Exit codes are those of sysexits(3): 64 usage, 65 bad data, 66 not found, 69 unavailable, 77 not permitted, 78 configuration.",
        version: Version.number,
        subcommands: [
            Serve.self, CheckConfig.self, Explain.self, Latest.self, Query.self, Tail.self, Devices.self, Tables.self, Write.self,
            Partitions.self, Deliver.self, Verify.self, Dump.self, DeadLetters.self, Tokens.self,
        ])
}
