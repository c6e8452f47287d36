import ArgumentParser
import Foundation
import Gateway

struct Write: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Store readings from a file or standard input; returns when they are on disk.",
        discussion: """
            echo '{"device":"line1/press","fields":{"temp":21.5}}' | gaugehouse write
            gaugehouse write readings.csv --precision s
            Exit codes: 0 all stored, 65 some were rejected (each is shown, the others are stored), 69 the gateway is away.
            """)

    @Argument(help: "The file; - or nothing: standard input.", completion: .file())
    var file = "-"

    @Option(help: "json, ndjson, csv or line (InfluxDB's); by the file's ending, or json, when absent.")
    var format: BodyFile.Format?

    @Option(help: "Unit of the times of lines and CSV: ns, us, ms, s, m or h.", completion: .list(["ns", "us", "ms", "s", "m", "h"]))
    var precision: String?

    @OptionGroup var client: APIClient

    func run() async throws {
        try await reporting {
            let body = try BodyFile(path: file, format: format)
            var report = WriteReport()
            for piece in try body.pieces() {
                let problem = try await client.write(piece.bytes, contentType: body.format.contentType, precision: precision)
                report.add(problem, of: piece)
            }
            try writeOutput(client.json ? report.json : report.text)
            guard report.rejectedCount == 0 else { throw ExitCode(SystemExitCode.dataError.rawValue) }
        }
    }
}
