import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

/// The files of the dashboard as the program serves them. What they do in a browser: Tests/EndToEnd/test_dashboard.py.
@Suite struct DashboardTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/Dashboard")

    private static func files() throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where name.contains(".") {
            files[name == "index.html" ? "/" : "/dashboard/\(name)"] = try Data(contentsOf: folder.appending(path: name))
        }
        return files
    }

    @Test func everyFileOfTheFolderIsServedAsItIs() async throws {
        try await TestBed.run { bed in
            let files = try Self.files()
            #expect(files.count > 30)
            for (path, bytes) in files {
                let answer = try await bed.get(path)
                #expect(answer.status == 200 && Data(answer.response.body.readableBytesView) == bytes, "\(path)")
            }
        }
    }

    @Test(arguments: [
        ("/", "text/html; charset=utf-8"), ("/dashboard/app/main.js", "text/javascript; charset=utf-8"),
        ("/dashboard/styles/base.css", "text/css; charset=utf-8"), ("/dashboard/icon.svg", "image/svg+xml"),
    ])
    func aFileComesWithItsTypeAndWhatABrowserMustNotDo(path: String, type: String) async throws {
        try await TestBed.run { bed in
            let headers = try await bed.get(path).headers
            #expect(headers[.contentType] == type)
            #expect(headers[.xContentTypeOptions] == "nosniff")
            #expect(headers[.cacheControl] == "no-cache")
            let policy = try #require(headers[.contentSecurityPolicy])
            #expect(policy.hasPrefix("default-src 'self';") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"))
            #expect(headers[HTTPField.Name("referrer-policy")!] == "no-referrer")
            #expect(headers[HTTPField.Name("x-frame-options")!] == "DENY")
        }
    }

    @Test func aFileThatTheClientHasIsNotSentAgain() async throws {
        try await TestBed.run { bed in
            let path = "/dashboard/app/main.js"
            let tag = try #require(try await bed.get(path).headers[.eTag])
            let other = try #require(try await bed.get("/dashboard/app/theme.js").headers[.eTag])
            #expect(tag != other && tag.hasPrefix("\"") && tag.hasSuffix("\""))
            for given in [tag, "*", "W/\(tag)", "\"x\" ,\t\(tag)"] {
                let answer = try await bed.get(path, headers: [.ifNoneMatch: given])
                #expect(answer.status == 304 && answer.byteCount == 0 && answer.headers[.eTag] == tag, "\(given)")
            }
            for given in [other, "", tag.replacing("\"", with: "")] {
                #expect(try await bed.get(path, headers: [.ifNoneMatch: given]).status == 200, "\(given)")
            }
        }
    }

    @Test func aClientThatUnpacksGetsAFileOfItsOwnTagThatIsSmaller() async throws {
        try await TestBed.run { bed in
            let path = "/dashboard/app/main.js"
            let plain = try await bed.get(path)
            for given in ["gzip", "deflate, gzip;q=0.5, br", "*", "identity;q=0, *;q=1", "GZIP"] {
                let packed = try await bed.get(path, headers: [.acceptEncoding: given])
                #expect(packed.headers[.contentEncoding] == "gzip" && packed.byteCount < plain.byteCount / 2, "\(given)")
                #expect(packed.headers[.eTag] != plain.headers[.eTag] && packed.headers[.vary] == "accept-encoding")
            }
            for given in ["", "br", "gzip;q=0", "gzip;q=0, *", "identity"] {
                let answer = try await bed.get(path, headers: [.acceptEncoding: given])
                #expect(answer.headers[.contentEncoding] == nil && answer.text == plain.text, "\(given)")
            }
            // Both forms fit what a browser loads: less than 200 KB in all.
            let files = try Self.files()
            #expect(files.values.reduce(0) { $0 + $1.count } < 200_000)
        }
    }

    @Test func headAndWhatIsNotThere() async throws {
        try await TestBed.run(isLive: true) { bed in
            let (get, head) = (try await bed.get("/"), try await bed.send(.head, "/"))
            #expect(head.status == 200 && head.byteCount == 0)
            #expect(head.headers[.contentLength] == "\(get.byteCount)" && head.headers[.eTag] == get.headers[.eTag])
            for path in ["/dashboard", "/dashboard/", "/dashboard/nothing.js", "/dashboard/app/../index.html", "/dashboard/index.html"] {
                try await bed.expectProblem(404, param: nil, path)
            }
            try await bed.expectProblem(405, param: nil, method: .post, "/", body: "")
            try await bed.expectProblem(400, param: "x", "/?x=1")
        }
    }
}
