import ArgumentParser
import Foundation
import Gateway

struct CheckConfig: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Tell what is wrong with a configuration: every mistake with its line, and exit code 78; warnings, and exit code 0.")

    @OptionGroup var flags: ConfigurationFlags

    @Flag(help: "Print the effective configuration as JSON.")
    var json = false

    @Flag(help: "Print the reference file: every option, commented out at its default.")
    var reference = false

    func run() async throws {
        if reference { return try writeOutput(ReferenceFile.text, terminator: "") }
        try await reporting {
            let configuration = try flags.load()
            for warning in configuration.allWarnings { FileHandle.standardError.write(Data("warning: \(warning)\n".utf8)) }
            try writeOutput(json ? configuration.effective.json : "\(flags.file): OK")
        }
    }
}
