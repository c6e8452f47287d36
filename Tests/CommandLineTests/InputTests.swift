import ArgumentParser
import Foundation
import Gateway
import Testing

@testable import gaugehouse

/// What the verbs read: conditions, tokens, files, problems.
@Suite struct InputTests {
    @Test(arguments: [
        ("temp > 80", #"{"field":"temp","op":">","value":80}"#), ("temp>=80.5", #"{"field":"temp","op":">=","value":80.5}"#),
        ("state != idle", #"{"field":"state","op":"!=","value":"idle"}"#),
        ("state=\"a > b\"", #"{"field":"state","op":"=","value":"a > b"}"#),
        ("on = true", #"{"field":"on","op":"=","value":true}"#), ("note = null", #"{"field":"note","op":"=","value":null}"#),
        ("motor temp < -1", #"{"field":"motor temp","op":"<","value":-1}"#), ("x <= [1]", #"{"field":"x","op":"<=","value":"[1]"}"#),
        ("x = \"80\"", #"{"field":"x","op":"=","value":"80"}"#),
    ])
    func conditionsAreRead(text: String, json: String) throws { #expect(try ConditionText.parse(text).json == json) }

    @Test(arguments: [
        "", "temp", "> 80", "temp >", "temp ! 80", "temp == 20", "temp <> 20", "temp =~ 2.*", "temp >> 2", "a > 20 and b > 3", "a = b=c",
    ]) func otherConditionsAreUsage(text: String) {
        #expect { try ConditionText.parse(text) } throws: { error in
            (error as? GatewayError)?.exitCode == .usage && "\(error)".hasSuffix("[--where]")
        }
    }

    @Test func severalConditionsHaveToHold() throws {
        #expect(try ConditionText.all([]) == .null)
        #expect(try ConditionText.all(["a=1"]).json == #"{"field":"a","op":"=","value":1}"#)
        #expect(
            try ConditionText.all(["a=1", "b=2"]).json == #"{"and":[{"field":"a","op":"=","value":1},{"field":"b","op":"=","value":2}]}"#)
    }

    private func problem(_ status: Int, _ json: String) throws -> GatewayError {
        ProblemText(status, try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8))).error
    }

    @Test(arguments: [
        (400, "step", "Title: what is wrong [--step]", SystemExitCode.usage), (422, "fields", "Title: what is wrong [--field]", .usage),
        (404, "id", "Title: what is wrong [device]", .noInput), (401, "body", "Title: what is wrong", .noPermission),
        (403, "x", "Title: what is wrong [--x]", .noPermission), (429, "page_token", "Title: what is wrong", .temporaryFailure),
        (503, "limit", "Title: what is wrong [--limit]", .unavailable),
    ])
    func problemsNameTheFlag(status: Int, param: String, text: String, code: SystemExitCode) throws {
        let error = try problem(status, #"{"title":"Title","detail":"what is wrong","param":"\#(param)"}"#)
        #expect(error.description == text)
        #expect(error.exitCode == code)
    }

    @Test func anAnswerThatIsNoProblemTellsItsStatus() throws {
        #expect(ProblemText(502, .null).error.description == "the gateway answered with status 502")
        #expect(try problem(400, #"{"title":"\u001b[31m"}"#).description == "\\u{1b}[31m")
    }

    private func flags(_ arguments: String...) throws -> TokenFlags { try TokenFlags.parse(arguments) }

    @Test func tokensComeFromFlagsFilesAndTheEnvironment() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "token-\(UUID().uuidString)").path
        try Data(" from-file\n".utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let environment = ["GAUGEHOUSE_TOKEN": "from-environment"]
        #expect(try flags().secret(environment: [:]) == nil)
        #expect(try flags().secret(environment: ["GAUGEHOUSE_TOKEN": " "]) == nil)
        #expect(try flags().secret(environment: environment) == "from-environment")
        #expect(try flags("--token", "given").secret(environment: environment) == "given")
        #expect(try flags("--token-file", path).secret(environment: environment) == "from-file")
        #expect(throws: (any Error).self) { try flags("--token", "a", "--token-file", path) }
        #expect(throws: GatewayError.self) { try flags("--token-file", path + "x").secret(environment: [:]) }
        #expect(throws: GatewayError.self) { try flags("--token", "a\r\nHost: b").secret(environment: [:]) }
    }

    @Test func filesAreCutAtEndsOfLines() throws {
        let lines = BodyFile(bytes: Data("a 1\nb 22\nc 333\nd".utf8), format: .line)
        #expect(try lines.pieces().map { String(decoding: $0.bytes, as: UTF8.self) } == ["a 1\nb 22\nc 333\nd"])
        let pieces = try lines.pieces(limit: 9)
        #expect(pieces.map { String(decoding: $0.bytes, as: UTF8.self) } == ["a 1\nb 22\n", "c 333\nd"])
        #expect(pieces.map(\.lineOffset) == [0, 2])
        // A line that is longer than a piece goes alone.
        #expect(try lines.pieces(limit: 2).map { String(decoding: $0.bytes, as: UTF8.self) } == ["a 1\n", "b 22\n", "c 333\n", "d"])
    }

    @Test(arguments: ["a 1\nb 2\nc 3\nd 4\ne 5", "a 1\nb 2\nc 3\nd 4\ne 5\n", "\n\n\n"]) func aPieceHasSoManyLines(text: String) throws {
        let file = BodyFile(bytes: Data(text.utf8), format: .line)
        for lineLimit in 1...6 {
            let pieces = try file.pieces(lineLimit: lineLimit)
            let texts = pieces.map { String(decoding: $0.bytes, as: UTF8.self) }
            #expect(texts.joined() == text)
            for (piece, next) in zip(pieces, pieces.dropFirst()) {
                #expect(piece.bytes.count { $0 == UInt8(ascii: "\n") } == lineLimit)
                #expect(next.lineOffset == piece.lineOffset + lineLimit)
            }
        }
    }

    @Test func everyPieceOfCSVHasTheHeading() throws {
        let pieces = try BodyFile(bytes: Data("device,v\na,1\nb,2\nc,3\n".utf8), format: .csv).pieces(limit: 17)
        #expect(pieces.map { String(decoding: $0.bytes, as: UTF8.self) } == ["device,v\na,1\nb,2\n", "device,v\nc,3\n"])
        // Line 2 of the second piece is line 4 of the file.
        #expect(pieces.map(\.lineOffset) == [0, 2])
    }

    @Test func whatCannotBeCutIsNot() throws {
        let json = Data("[\n1,\n2]".utf8)
        #expect(try BodyFile(bytes: json, format: .json).pieces(limit: 3) == [BodyFile.Piece(bytes: json, lineOffset: 0)])
        let quoted = Data("device,v\n\"a\nb\",1\n".utf8)
        #expect(try BodyFile(bytes: quoted, format: .csv).pieces(limit: 12).count == 1)
        #expect(throws: GatewayError.self) { try BodyFile(bytes: Data(), format: .line).pieces() }
    }

    @Test(
        arguments: [
            ("x.csv", BodyFile.Format.csv), ("x.NDJSON", .ndjson), ("x.jsonl", .ndjson), ("x.json", .json), ("a/b.lp", .line),
            ("x.txt", nil), ("-", nil),
        ] as [(String, BodyFile.Format?)])
    func theEndingTellsTheFormat(path: String, format: BodyFile.Format?) { #expect(BodyFile.Format(path: path) == format) }

    @Test func rejectedRowsAreTold() throws {
        var report = WriteReport()
        report.add(nil, of: BodyFile.Piece(bytes: Data(), lineOffset: 0))
        #expect(report.text == "all stored" && report.rejectedCount == 0)
        let problem = #"{"accepted":2,"rejected":1,"errors":[{"index":1,"line":3,"reason":"late","detail":"too old"}]}"#
        report.add(try JSONDecoder().decode(JSONValue.self, from: Data(problem.utf8)), of: BodyFile.Piece(bytes: Data(), lineOffset: 100))
        #expect(report.rejectedCount == 1)
        #expect(report.text == "1 rejected, the others stored:\nPLACE     REASON  DETAIL\nline 103  late    too old")
        #expect(report.json == #"{"accepted":null,"errors":[{"detail":"too old","index":1,"line":103,"reason":"late"}],"rejected":1}"#)
    }
}
