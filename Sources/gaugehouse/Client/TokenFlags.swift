import ArgumentParser
import Foundation
import Gateway

/// The token that a gateway may want.
struct TokenFlags: ParsableArguments {
    @Option(help: "Token; others may see it in the list of processes. The variable GAUGEHOUSE_TOKEN is used when absent.")
    var token: String?

    @Option(help: ArgumentHelp("File that holds the token.", valueName: "path"), completion: .file())
    var tokenFile: String?

    func validate() throws {
        guard token == nil || tokenFile == nil else { throw ValidationError("--token and --token-file exclude each other") }
    }

    /// Nil: none is given.
    func secret(environment: [String: String] = ProcessInfo.processInfo.environment) throws(GatewayError) -> String? {
        var secret = token ?? environment["GAUGEHOUSE_TOKEN"]
        if let tokenFile {
            do {
                let bytes = try FileHandle(forReadingFrom: URL(filePath: tokenFile)).readToEnd() ?? Data()
                secret = String(decoding: bytes, as: UTF8.self)
            } catch {
                throw GatewayError("cannot read the token in \(tokenFile): \(error.localizedDescription) [--token-file]", .noInput)
            }
        }
        guard let trimmed = secret?.trimmingCharacters(in: .whitespacesAndNewlines), !trimmed.isEmpty else { return nil }
        guard trimmed.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw GatewayError("a token is one word of ASCII [--token]", .usage)
        }
        return trimmed
    }
}
