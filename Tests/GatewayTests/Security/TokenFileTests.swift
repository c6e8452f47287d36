import Foundation
import QueryAPI
import Telemetry
import Testing

@testable import Gateway

/// The file of tokens on disk: who may write it, how it is replaced, what a configuration makes of it.
@Suite struct TokenFileTests {
    private static let created = Timestamp(microseconds: 1_764_000_000_000_000)

    private static func token(_ name: String) -> Token {
        Token(name: name, digest: TokenDigest(of: name), scopes: [.read], created: created)
    }

    private static func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber).intValue
    }

    private static func problems(_ toml: String) -> [String] {
        do {
            _ = try GatewayConfiguration.parse(toml, file: "g.toml")
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func anEditMakesTheFileAndKeepsItsMode() throws {
        let folder = try TemporaryDirectory()
        let file = TokenFile(path: "\(folder.path)/tokens")
        try file.edit { try $0.add(Self.token("a")) }
        #expect(try Self.mode(file.path) == 0o640)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        try file.edit { try $0.add(Self.token("b")) }
        #expect(try Self.mode(file.path) == 0o600)
        #expect(try file.read().tokens.map(\.name) == ["a", "b"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["tokens"])
    }

    @Test func anEditThatFailsChangesNothing() throws {
        let folder = try TemporaryDirectory()
        let file = TokenFile(path: "\(folder.path)/tokens")
        try file.edit { try $0.add(Self.token("a")) }
        let before = try String(contentsOfFile: file.path, encoding: .utf8)
        #expect(throws: Token.Malformed.self) { try file.edit { try $0.add(Self.token("a")) } }
        #expect(try String(contentsOfFile: file.path, encoding: .utf8) == before)
        #expect(throws: TokenFile.Failure.self) { try TokenFile(path: "/nowhere/tokens").edit { _ in } }
    }

    @Test func editsAtOnceLoseNothing() async throws {
        let folder = try TemporaryDirectory()
        let file = TokenFile(path: "\(folder.path)/tokens")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 { group.addTask { try file.edit { try $0.add(Self.token("t\(number)")) } } }
            try await group.waitForAll()
        }
        #expect(Set(try file.read().tokens.map(\.name)) == Set((0..<20).map { "t\($0)" }))
    }

    @Test func aLinkIsFollowed() throws {
        let folder = try TemporaryDirectory()
        try TokenFile(path: "\(folder.path)/real").edit { try $0.add(Self.token("a")) }
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/link", withDestinationPath: "\(folder.path)/real")
        try TokenFile(path: "\(folder.path)/link").edit { try $0.add(Self.token("b")) }
        #expect(try TokenFile(path: "\(folder.path)/real").read().tokens.count == 2)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder.path)/link").hasSuffix("/real"))
    }

    @Test(arguments: [0o660, 0o646]) func aFileThatOthersCanWriteIsRefused(mode: Int) throws {
        let folder = try TemporaryDirectory()
        let file = TokenFile(path: "\(folder.path)/tokens")
        try file.edit { try $0.add(Self.token("a")) }
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        #expect(
            Self.problems("[http]\ntoken_file = \"\(file.path)\"") == [
                "g.toml:2: token_file: \(file.path): others can write to it: chmod go-w \(file.path)"
            ])
        #expect(throws: TokenFile.Failure.self) { try file.edit { try $0.add(Self.token("b")) } }
    }

    @Test func aFileThatIsMissingOrWrongIsAProblemOfTheConfiguration() throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/tokens"
        let toml = "[http]\ntoken_file = \"\(path)\"\nlisten = \"0.0.0.0:0\""
        #expect(
            Self.problems(toml) == ["g.toml:2: token_file: \(path): No such file or directory; gaugehouse token create makes it"])
        #expect(
            try GatewayConfiguration.tokenFile(file: "/dev/null", environment: [:], flags: ["http.token_file=\(path)"]) == path)
        #expect(try GatewayConfiguration.tokenFile(file: "/dev/null", environment: [:], flags: []) == nil)
        try TokenFile(path: path).edit { try $0.add(Self.token("a")) }
        #expect(Self.problems(toml).isEmpty)
        try (String(contentsOfFile: path, encoding: .utf8) + "b\n").write(toFile: path, atomically: false, encoding: .utf8)
        let found = Self.problems(toml)
        #expect(found.count == 1 && found[0].hasPrefix("g.toml:2: token_file: \(path):3: expected NAME sha256:HASH"), "\(found)")
    }

    @Test func beyondLoopbackSomethingMustBeSaid() throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/tokens"
        try TokenFile(path: path).edit { _ in }
        for address in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "gauge.example:1"] {
            let listen = "[http]\nlisten = \"\(address)\"\n"
            #expect(Self.problems(listen).count == 1, "\(address)")
            #expect(Self.problems(listen + "allow_anonymous = true").isEmpty)
            #expect(Self.problems(listen + "token_file = \"\(path)\"").isEmpty)
        }
        for address in ["127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1"] {
            #expect(Self.problems("[http]\nlisten = \"\(address)\"").isEmpty, "\(address)")
        }
        #expect(
            Self.problems("[http]\nallow_anonymous = true\ntoken_file = \"\(path)\"") == [
                "g.toml:2: allow_anonymous: with a token_file nobody is let in without a token"
            ])
    }

    @Test(arguments: ["*", "grafana.example", "https://", "https://x.example/", "https://X.example", "ftp://x", "https://x y", "null"])
    func whatIsNoOriginIsRefused(origin: String) {
        let found = Self.problems("[http]\ncors_origins = [\"https://ok.example:8443\", \"\(origin)\"]")
        #expect(found.count == 1 && found[0].hasPrefix("g.toml:2: cors_origins: \"\(origin)\" is no origin"), "\(found)")
    }

    @Test func aCertificateThatCannotServeIsAProblem() throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/x.pem"
        try "no pem".write(toFile: path, atomically: false, encoding: .utf8)
        #expect(
            Self.problems("[http]\ntls_key_file = \"\(path)\"") == [
                "g.toml:2: tls_key_file: tls_cert_file and tls_key_file come together"
            ])
        for (file, fault) in [(path, "holds no certificates in PEM"), ("/nowhere/cert.pem", "cannot be read: No such file")] {
            let found = Self.problems("[http]\ntls_cert_file = \"\(file)\"\ntls_key_file = \"\(path)\"")
            #expect(found.count == 1 && found[0].hasPrefix("g.toml:2: tls_cert_file: \(file) \(fault)"), "\(found)")
        }
    }
}
