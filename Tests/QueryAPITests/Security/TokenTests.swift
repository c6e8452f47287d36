import QueryAPI
import Telemetry
import Testing

/// Tokens, their lines, their file's text.
@Suite struct TokenTests {
    private static let created = Timestamp(microseconds: 1_764_000_000_000_000)
    private static let hash = String(repeating: "0af9", count: 16)

    @Test func aSecretIsRandomRecognisableAndChecked() {
        let secret = TokenSecret.random().text
        #expect(secret.wholeMatch(of: #/gaugehouse_[0-9a-f]{72}/#) != nil)
        #expect(secret != TokenSecret.random().text)
        #expect(TokenSecret.isWellFormed(secret))
        for index in secret.indices {
            var other = secret
            other.replaceSubrange(index...index, with: secret[index] == "0" ? "1" : "0")
            #expect(!TokenSecret.isWellFormed(other), "\(other)")
        }
        for wrong in ["", "gaugehouse_", String(secret.dropLast()), secret + "0", " " + secret] {
            #expect(!TokenSecret.isWellFormed(wrong), "\(wrong)")
        }
    }

    /// `printf x | sha256sum`.
    @Test func theHashIsSHA256() {
        let digest = TokenDigest(of: "x")
        #expect(digest.text == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
        #expect(TokenDigest(hexadecimal: digest.text) == digest)
        #expect(TokenDigest(of: "y") != digest)
        for index in digest.text.indices {
            var other = digest.text
            other.replaceSubrange(index...index, with: other[index] == "0" ? "1" : "0")
            #expect(TokenDigest(hexadecimal: other) != digest, "\(other)")
        }
        for wrong in ["", String(digest.text.dropLast()), digest.text + "00", String(repeating: "g", count: 64), Self.hash.uppercased()] {
            #expect(TokenDigest(hexadecimal: wrong) == nil, "\(wrong)")
        }
    }

    @Test func aLineReadsBackAsItWasWritten() throws {
        var token = Token(name: "grafana", digest: TokenDigest(of: "x"), scopes: [.read], created: Self.created)
        #expect(token.line == "grafana sha256:\(token.digest.text) read created=2025-11-24T16:00:00Z")
        #expect(try Token(line: token.line) == token)
        token.scopes = [.write, .read]
        token.expires = Self.created + .days(1)
        token.devicePrefix = "line 1/%\u{E9}\n#="
        #expect(
            token.line == "grafana sha256:\(token.digest.text) read,write created=2025-11-24T16:00:00Z expires=2025-11-25T16:00:00Z "
                + "device_prefix=line%201/%25%C3%A9%0A%23%3D")
        #expect(try Token(line: token.line) == token)
    }

    @Test(arguments: [
        ("a", "expected NAME sha256:HASH"), ("a md5:\(hash) read created=2025-11-24T16:00:00Z", "expected NAME sha256:HASH"),
        ("a sha256:12 read created=2025-11-24T16:00:00Z", "the hash is not 64 digits"),
        ("a sha256:\(hash) reed created=2025-11-24T16:00:00Z", "there is no scope \"reed\""),
        ("a sha256:\(hash) read, created=2025-11-24T16:00:00Z", "there is no scope \"\""),
        ("a sha256:\(hash) read", "created=TIME is missing"), ("a sha256:\(hash) read created=yesterday", "created must be a time"),
        ("a sha256:\(hash) read created=2025-11-24T16:00:00Z expires=1d", "expires must be a time"),
        ("a sha256:\(hash) read created=2025-11-24T16:00:00Z created=2025-11-24T16:00:00Z", "created is given more than once"),
        ("a sha256:\(hash) read created=2025-11-24T16:00:00Z prefix=x", "there is no \"prefix\""),
        ("a sha256:\(hash) read created=2025-11-24T16:00:00Z device_prefix=%F", "device_prefix is not percent-encoded"),
        ("a sha256:\(hash) read created=2025-11-24T16:00:00Z device_prefix=", "device_prefix is not percent-encoded"),
        ("a/b sha256:\(hash) read created=2025-11-24T16:00:00Z", "a token's name is"),
        ("a sha256:\(hash) admin created=2025-11-24T16:00:00Z device_prefix=x", "admin is for everything"),
    ]) func aLineThatIsWrongSaysWhy(line: String, reason: String) {
        let error = #expect(throws: Token.Malformed.self) { try Token(line: line) }
        #expect(error?.reason.hasPrefix(reason) == true, "\(error?.reason ?? "")")
    }

    @Test func aFileKeepsItsCommentsAndItsOrder() throws {
        let line = "a sha256:\(Self.hash) read created=2025-11-24T16:00:00Z"
        let text = "# mine\n\n\(line)\n  # after\nb sha256:\(Self.hash) write created=2025-11-24T16:00:00Z\n"
        var list = try TokenList(text)
        #expect(list.text == text)
        #expect(list.tokens.map(\.name) == ["a", "b"])
        try list.add(Token(name: "c", digest: TokenDigest(of: "x"), scopes: [.admin], created: Self.created))
        #expect(list.text.hasPrefix(text + "c sha256:"))
        #expect(list.remove(named: "a") && !list.remove(named: "a"))
        #expect(list.text.hasPrefix("# mine\n\n  # after\nb "))
        #expect(try TokenList(list.text) == list)
        #expect(try TokenList("").tokens.isEmpty)
        #expect(try TokenList(text.replacing("\n", with: "\r\n")).tokens.map(\.name) == ["a", "b"])
    }

    @Test func aWrongFileNamesTheLine() {
        let line = "a sha256:\(Self.hash) read created=2025-11-24T16:00:00Z"
        let twice = #expect(throws: TokenList.Malformed.self) { try TokenList("# x\n\(line)\n\n\(line)\n") }
        #expect(twice?.line == 4 && twice?.reason == "the name a is taken by an earlier line")
        let wrong = #expect(throws: TokenList.Malformed.self) { try TokenList("\(line)\nb\n") }
        #expect(wrong?.line == 2)
        let many = (0...1_000).map { "t\($0) sha256:\(Self.hash) read created=2025-11-24T16:00:00Z\n" }.joined()
        #expect(#expect(throws: TokenList.Malformed.self) { try TokenList(many) }?.reason == "more than 1000 tokens")
    }

    @Test func whatCannotBeATokenIsNotAdded() throws {
        var list = TokenList()
        func add(_ name: String, _ scopes: Set<Access.Scope>, prefix: String = "") throws {
            try list.add(
                Token(name: name, digest: TokenDigest(of: name), scopes: scopes, devicePrefix: prefix, created: Self.created))
        }
        try add("a", [.read])
        let wrong: [(String, Set<Access.Scope>, String)] = [
            ("a", [.read], ""), ("", [.read], ""), ("b c", [.read], ""), ("b", [], ""), ("b", [.admin, .read], "x"),
            (String(repeating: "b", count: 65), [.read], ""), ("b", [.read], String(repeating: "b", count: 100_000)),
        ]
        for (name, scopes, prefix) in wrong { #expect(throws: Token.Malformed.self) { try add(name, scopes, prefix: prefix) } }
        #expect(list.tokens.count == 1)
    }
}
