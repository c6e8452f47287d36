import ArgumentParser

/// The part of the store benchmark that measures our own store, and writes the same readings down for the peers.
/// `Benchmarks/store/run` calls it, one process a measurement, and reads the JSON line that each prints.
@main
struct BenchStore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gaugehouse-bench-store",
        abstract: "Measures the time-series store in process; each command prints one JSON object.",
        subcommands: [
            GenerateCommand.self, IngestCommand.self, QueriesCommand.self, OpenCommand.self, DropCommand.self, PlainColumnsCommand.self,
        ])
}
