import Foundation
import Logging
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

@testable import Gateway

/// What a reload does with tokens when the configuration around them is wrong.
@Suite struct TokenReloadTests {
    private static func token(_ name: String) -> Token {
        Token(
            name: name, digest: TokenDigest(of: name), scopes: [.read], created: Timestamp(microseconds: 1_764_000_000_000_000))
    }

    private struct Bed {
        let folder: TemporaryDirectory
        let file: TokenFile
        let security: ServerSecurity
        let reload: ReloadService
        let configuration: GatewayConfiguration
        let store: TelemetryStore

        /// Names of those in force.
        var names: [String]? { security.tokens.map { $0.map(\.name) } }

        func reload(_ toml: String) {
            reload.reload { () throws(ConfigurationError) in
                try GatewayConfiguration.parse(toml, file: "g.toml", flags: ["store.path=\(folder.path)/store"])
            }
        }
    }

    /// A gateway's reload whose file holds the tokens a and b.
    private static func run(_ body: (Bed) throws -> Void) throws {
        let folder = try TemporaryDirectory()
        let file = TokenFile(path: "\(folder.path)/tokens")
        for name in ["a", "b"] { try file.edit { try $0.add(token(name)) } }
        let configuration = try GatewayConfiguration.parse(
            "[http]\ntoken_file = \"\(file.path)\"", file: "g.toml", flags: ["store.path=\(folder.path)/store"])
        let store = try TelemetryStore.open(options: configuration.store, tables: configuration.tables, clock: SystemClock())
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let security = ServerSecurity(tokens: configuration.http.tokens)
        let reload = ReloadService(
            configuration: configuration, loadAgain: nil, store: store, ingest: nil, security: security,
            notify: NotifySocket(environment: [:]), logger: logger)
        try body(Bed(folder: folder, file: file, security: security, reload: reload, configuration: configuration, store: store))
        try store.close()
    }

    @Test func aRevokedTokenGoesThoughTheConfigurationIsWrong() throws {
        try Self.run { bed in
            #expect(bed.names == ["a", "b"])
            try bed.file.edit { _ = $0.remove(named: "a") }
            bed.reload("[http]\nnonsense = 1")
            #expect(bed.names == ["b"])
            #expect(bed.reload.hasFailed)
            // Tokens that the operator made meanwhile hold, too.
            try bed.file.edit { try $0.add(Self.token("c")) }
            bed.reload("not even TOML")
            #expect(bed.names == ["b", "c"])
        }
    }

    @Test func aTokenFileThatIsWrongLeavesTheOldTokens() throws {
        try Self.run { bed in
            try Data("a nonsense\n".utf8).write(to: URL(filePath: bed.file.path))
            bed.reload("[http]\nnonsense = 1")
            #expect(bed.names == ["a", "b"])
            try FileManager.default.removeItem(atPath: bed.file.path)
            bed.reload("[http]\nnonsense = 1")
            #expect(bed.names == ["a", "b"])
        }
    }

    @Test func withoutAMistakeAllIsTakenOver() throws {
        try Self.run { bed in
            try bed.file.edit { _ = $0.remove(named: "b") }
            bed.reload("[http]\ntoken_file = \"\(bed.file.path)\"")
            #expect(bed.names == ["a"])
            #expect(!bed.reload.hasFailed)
            // At loopback tokens may go altogether; then there is no file any more to be read again.
            bed.reload("")
            #expect(bed.names == nil)
            bed.reload("[http]\nnonsense = 1")
            #expect(bed.names == nil)
        }
    }
}
