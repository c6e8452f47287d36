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

    @Option(help: ArgumentHelp("The broker that it comes from, where there are several.", valueName: "host:port"))
    var broker: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        // A broker takes it from nobody: no device ever sends it.
        guard !topic.contains("+"), !topic.contains("#") else {
            throw ValidationError("--topic is the topic of a message, without + and #.")
        }
    }

    func run() async throws {
        try await reporting {
            let configuration = try flags.load()
            let (name, explanation) = try explain(configuration)
            let source = "by subscription \(explanation.filter ?? "none") at \(name) (\(explanation.format ?? "no format"))"
            switch explanation.outcome {
            case .readings(let table, let readings):
                try writeOutput(json ? ExplainedReadings.json(readings, table) : ExplainedReadings.text(readings, table, source))
                let now = SystemClock().now()
                let refusals = readings.compactMap { configuration.refusal(of: $0, table: table, now: now) }
                if let first = refusals.first {
                    throw GatewayError("\(refusals.count) of \(readings.count) would be rejected now: \(first)", .dataError)
                }
            case .ignored(let why):
                try writeOutput("Ignored, \(source): \(why).")
            case .rejected(let rejection):
                throw GatewayError("rejected, \(source): \(rejection)", .dataError)
            }
        }
    }

    /// Which broker's subscriptions decide, and how.
    private func explain(_ configuration: GatewayConfiguration) throws -> (broker: String, Explanation) {
        guard !configuration.brokers.isEmpty else { throw GatewayError("\(flags.file) has no [mqtt] section", .configuration) }
        let brokers = configuration.brokers.filter { broker == nil || broker == $0.name }
        guard let first = brokers.first else {
            throw GatewayError("no broker \(broker ?? ""); there is \(Self.list(configuration.brokers))", .usage)
        }
        let bytes = payload == "-" ? Array(FileHandle.standardInput.readDataToEndOfFile()) : Array(payload.utf8)
        let tables = configuration.tables.map(\.name)
        let explanations = try brokers.map { broker in
            (broker, try Explanation(topic: topic, payload: bytes, subscriptions: broker.subscriptions, tables: tables))
        }
        let fitting = explanations.filter { $0.1.filter != nil }
        guard broker != nil || fitting.count < 2 else {
            throw GatewayError("subscriptions at \(Self.list(fitting.map(\.0))) fit the topic: choose one by --broker", .usage)
        }
        guard let chosen = fitting.first else { return (first.name, explanations[0].1) }
        return (chosen.0.name, chosen.1)
    }

    private static func list(_ brokers: [MQTTBroker]) -> String { brokers.map(\.name).joined(separator: ", ") }
}
