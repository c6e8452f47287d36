import ArgumentParser
import Gateway
import Ingest
import Telemetry

/// Which dead letters are meant, and where they are.
struct DeadLetterFlags: ParsableArguments {
    @OptionGroup var configuration: ConfigurationFlags

    @Option(help: "Only letters refused for this reason.")
    var reason: RejectReason?

    @Option(help: "Only letters of this topic; + and # as in MQTT.")
    var topic: String?

    @Option(help: "Only letters refused since then: RFC 3339, or a time span before now like 2h.")
    var since: LetterTime?

    func validate() throws {
        if selection.hasInvalidTopic { throw ValidationError("--topic: MQTT does not allow \"\(topic ?? "")\" as a topic filter") }
    }

    private var selection: DeadLetterSelection {
        var selection = DeadLetterSelection()
        (selection.reason, selection.topic, selection.since) = (reason, topic, since?.time)
        return selection
    }

    func reader() throws -> DeadLetterReader {
        let path = try configuration.load().deadLetters.path
        do throws(DeadLetterFailure) {
            return try DeadLetterReader(path: path, selection: selection)
        } catch {
            throw GatewayError(error.description, error.isMissing ? .noInput : .inputOutput)
        }
    }

    func replay() throws -> DeadLetterReplay {
        let loaded = try configuration.load()
        guard !loaded.brokers.isEmpty else {
            throw GatewayError("\(configuration.file) has no [mqtt] section: there is no broker to send them to", .configuration)
        }
        return DeadLetterReplay(path: loaded.deadLetters.path, brokers: loaded.brokers.map(\.options), selection: selection)
    }
}

/// `2025-11-24T16:00:00Z`, or `2h`: two hours ago.
struct LetterTime: ExpressibleByArgument {
    let time: Timestamp

    init?(argument: String) {
        guard let time = Timestamp(rfc3339: argument) ?? TimeSpan(text: argument).map({ SystemClock().now() - $0 }) else { return nil }
        self.time = time
    }
}

extension RejectReason: ExpressibleByArgument {}

extension GatewayError {
    init(_ interruption: DeadLetterReplay.Interrupted) {
        let code: SystemExitCode =
            switch interruption.cause {
            case .letters: .inputOutput
            case .missing: .noInput
            case .busy: .temporaryFailure
            case .broker: .unavailable
            }
        self.init(interruption.description, code)
    }
}
