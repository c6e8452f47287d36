import ArgumentParser
import Foundation
import Gateway

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show readings as they are stored, until Ctrl-C.",
        discussion: """
            A lost connection is made again, and what came meanwhile is shown. Readings that could not be shown are counted on standard \
            error. --json prints one object a line, --csv a line for each value.
            """)

    @Option(help: "Only this device; may be repeated.")
    var device: [String] = []

    @Option(help: "Only devices whose id begins so.")
    var prefix: String?

    @Option(help: "Only this field; may be repeated.")
    var field: [String] = []

    @Option(name: .customLong("max-hz"), help: "Of each device at most so many readings a second, the newest; 0.01 to 50.")
    var maxHz: Double?

    @Flag(help: "Print CSV: time,device,field,value.")
    var csv = false

    @OptionGroup var client: APIClient

    /// As long as the server asks browsers to wait.
    private static let retryPause = Duration.seconds(1)

    func validate() throws {
        if csv, client.json { throw ValidationError("--json and --csv exclude each other") }
        if let name = (device + field).first(where: { $0.contains(",") }) {
            throw ValidationError("\(name): names with a comma cannot be asked for; --prefix can")
        }
    }

    func run() async throws {
        // Nothing is open that would have to be closed.
        signal(SIGINT) { _ in _exit(0) }
        try await reporting {
            var output = TailOutput(client.json ? .json : csv ? .csv : .text)
            var last: String?
            while true {
                do {
                    try await follow(&output, &last)
                    note("the gateway ended the stream; trying again")
                } catch let error as Interruption {
                    // Whoever was never connected should hear it at once.
                    guard last != nil else {
                        throw GatewayError("no answer from \(client.url); is the gateway running? (\(error.reason))", .unavailable)
                    }
                    note("\(error.reason); trying again")
                }
                try await Task.sleep(for: Self.retryPause)
            }
        }
    }

    /// The connection could not be made or was lost.
    private struct Interruption: Error {
        let reason: String
    }

    /// Prints what one connection brings.
    private func follow(_ output: inout TailOutput, _ last: inout String?) async throws {
        func list(_ names: [String]) -> String? { names.isEmpty ? nil : names.joined(separator: ",") }
        var request = try client.request(
            "/api/v1/live",
            ["devices": list(device), "prefix": prefix, "fields": list(field), "max_hz": maxHz.map { "\($0)" }, "time": "rfc3339"])
        if let last { request.setValue(last, forHTTPHeaderField: "Last-Event-ID") }
        let stream = EventStream()
        stream.start(request)
        var (parser, status, problem) = (EventParser(), 0, Data())
        do {
            for try await part in stream.parts {
                switch part {
                case .head(let code): status = code
                case .bytes(let bytes) where status != 200: problem += bytes
                case .bytes(let bytes): try show(parser.parse(bytes), &output, &last)
                }
            }
        } catch let error as GatewayError {
            throw error
        } catch {
            throw Interruption(reason: error.localizedDescription)
        }
        guard status == 200 else {
            let failure = ProblemText(status, (try? JSONDecoder().decode(JSONValue.self, from: problem)) ?? .null).error
            if status >= 500, last != nil { throw Interruption(reason: failure.description) }
            throw failure
        }
    }

    private func show(_ events: [LiveEvent], _ output: inout TailOutput, _ last: inout String?) throws(GatewayError) {
        var text = ""
        for event in events {
            if let id = event.id { last = id }
            let data = (try? JSONDecoder().decode(JSONValue.self, from: Data(event.data.utf8))) ?? .null
            switch event.name {
            case "reading": text += output.lines(event.data, data) ?? ""
            case "gap": note(Self.sentence(data))
            default: break
            }
        }
        guard !text.isEmpty else { return }
        try writeOutput(text, terminator: "")
    }

    private static func sentence(_ gap: JSONValue) -> String {
        switch (gap["dropped"], gap["exact"]) {
        case (.integer(let count), .boolean(true)): "\(count) readings are not shown: they came faster than they could be sent"
        case (.integer(let count), _): "up to \(count) readings are not shown"
        default: "an unknown number of readings is not shown: this is another store than before"
        }
    }
}
