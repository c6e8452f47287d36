import ArgumentParser
import Gateway
import Ingest

struct DeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the messages that could not be stored, or send them again once the mapping is mended.",
        subcommands: [List.self, Replay.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show dead letters, the oldest first.")

        @OptionGroup var flags: DeadLetterFlags

        @Flag(help: "Print a JSON object a line, with the whole payload.")
        var json = false

        func run() async throws {
            try await reporting {
                let reader = try flags.reader()
                try json ? DeadLetterOutput.printJSON(reader) : DeadLetterOutput.printTable(reader)
            }
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish dead letters to the broker again, each once.",
            discussion: """
                They come to every subscriber of their topics. Letters that were replayed before are passed over. Readings without a time \
                get the time of the replay. Exit codes: 0 done, 66 no dead letters, 69 the broker is away or refuses, nobody is \
                subscribed to a letter's topic, or its broker is not in the configuration, 74 a file cannot be read or marked, \
                75 another replay runs.
                """)

        @OptionGroup var flags: DeadLetterFlags

        @Flag(name: .customLong("dry-run"), help: "Only say how many there are.")
        var isTrial = false

        func run() async throws {
            try await reporting {
                var replay = try flags.replay()
                do {
                    let report = try replay.run(isTrial: isTrial)
                    try writeOutput(DeadLetterOutput.text(report, isTrial: isTrial))
                    if let refusal = report.refusal { throw GatewayError(refusal, .unavailable) }
                    if report.unheard + report.homeless > 0 { throw ExitCode(SystemExitCode.unavailable.rawValue) }
                } catch let error as DeadLetterReplay.Interrupted {
                    try writeOutput(DeadLetterOutput.text(error.report, isTrial: isTrial))
                    throw GatewayError(error)
                }
            }
        }
    }
}
