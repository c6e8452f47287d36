import ArgumentParser
import Foundation
import Gateway
import Ingest
import Telemetry
import TelemetryStore

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the readings a message would make, or why it would make none (exit code 65).")

    @OptionGroup var flags: ConfigurationFlags

    @Option(help: "Topic of the message.")
    var topic: String

    @Option(help: "Payload of the message; - reads it from standard input.")
    var payload: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await reporting {
            let configuration = try flags.load()
            let subscriptions = configuration.brokers.flatMap(\.subscriptions)
            guard !subscriptions.isEmpty else { throw GatewayError("\(flags.file) has no [mqtt] section", .configuration) }
            let tables = configuration.tables.map(\.name)
            let bytes = payload == "-" ? Array(FileHandle.standardInput.readDataToEndOfFile()) : Array(payload.utf8)
            let explanation = try Explanation(topic: topic, payload: bytes, subscriptions: subscriptions, tables: tables)
            let source = "by subscription \(explanation.filter ?? "none") (\(explanation.format ?? "no format"))"
            switch explanation.outcome {
            case .readings(let table, let readings):
                print(json ? ExplainedReadings.json(readings, table) : ExplainedReadings.text(readings, table, source))
                let now = SystemClock().now()
                let refusals = readings.compactMap { configuration.refusal(of: $0, table: table, now: now) }
                if let first = refusals.first {
                    throw GatewayError("\(refusals.count) of \(readings.count) would be rejected now: \(first)", .dataError)
                }
            case .ignored(let why):
                print("Ignored, \(source): \(why).")
            case .rejected(let rejection):
                throw GatewayError("rejected, \(source): \(rejection)", .dataError)
            }
        }
    }
}
