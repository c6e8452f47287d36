import ArgumentParser
import Delivery
import Foundation
import Gateway
import TelemetryStore

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a store that no gateway has open, and say what is where. Changes nothing.",
        discussion: "Exit codes: 0 sound, 1 damaged, 2 nothing there to check, 75 in use.")

    @Argument(help: "Directory of the store; the configured one when absent.")
    var path: String?

    @OptionGroup var flags: ConfigurationFlags

    @Flag(help: "Read every frame: checksums, order, counts, names.")
    var deep = false

    @Flag(help: "Show what each column costs on disk.")
    var stats = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await reporting {
            let directory = try path ?? flags.load().store.path
            var options = StoreInspector.Options()
            (options.isDeep, options.measuresUsage) = (deep, stats)
            var report = try inspect(directory, options)
            report.findings += LedgerInspection.findings(storePath: directory)
            try writeOutput(json ? InspectionJSON.value(report).json : InspectionText.text(report, directory))
            guard report.isSound else { throw ExitCode(1) }
        }
    }

    private func inspect(_ directory: String, _ options: StoreInspector.Options) throws -> InspectionReport {
        do throws(StoreError) { return try StoreInspector(path: directory, options: options).inspect() } catch {
            if error.code == .locked { throw GatewayError("cannot verify the store", error) }
            FileHandle.standardError.write(Data("gaugehouse: cannot verify \(directory): \(error.detail)\n".utf8))
            throw ExitCode(2)
        }
    }
}
