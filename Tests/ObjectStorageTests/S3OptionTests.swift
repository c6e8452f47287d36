import Foundation
import Glibc
import Testing

@testable import ObjectStorage

@Suite struct S3OptionTests {
    @Test func aURLNamesABucketAndAPrefix() throws {
        let location = try S3Location(url: "s3://my-bucket/a=1/b c/")
        #expect(location.bucket == "my-bucket" && location.prefix == "a=1/b c" && location.description == "s3://my-bucket/a=1/b c")
        #expect(location.path("x") == "a=1/b c/x")
        for url in ["s3://my-bucket", "s3://my-bucket/"] {
            #expect(try S3Location(url: url).prefix == "")
            #expect(try S3Location(url: url).path("x") == "x")
        }
    }

    @Test(arguments: [
        ("s3:/bucket", "s3://bucket/prefix"), ("S3://bucket", "s3://bucket/prefix"), ("s3://", "3 to 63"), ("s3:///x", "3 to 63"),
        ("s3://ab", "3 to 63"), ("s3://Bucket", "3 to 63"), ("s3://-bucket", "3 to 63"), ("s3://bucket-", "3 to 63"),
        ("s3://a..b", "'..'"), ("s3://10.0.0.1", "IP address"), ("s3://\(String(repeating: "a", count: 64))", "3 to 63"),
        ("s3://bucket//x", "object key"), ("s3://bucket/../x", "object key"), ("s3://bucket/x//", "object key"),
        ("s3://bucket/x?region=a", "options stand apart"), ("s3://bucket/x#y", "options stand apart"),
    ])
    func aWrongURLSaysHowToWriteIt(url: String, hint: String) {
        let error = #expect(throws: ObjectError.self) { try S3Location(url: url) }
        #expect(error?.code == .invalidDestination && error?.detail.contains(hint) == true)
    }

    @Test func credentialsInAURLAreRefusedAndNotRepeated() {
        var options = S3Options()
        options.endpoint = "https://AKID:verysecret@host"
        for make in [
            { _ = try ObjectDestinations.make(url: "s3://AKID:verysecret@bucket/x") },
            { _ = try ObjectDestinations.make(url: "http://AKID:verysecret@bucket/x") },
            { _ = try ObjectDestinations.make(url: "s3://bucket/x", s3: options) },
        ] {
            let error = #expect(throws: ObjectError.self) { try make() }
            #expect(error?.code == .invalidDestination && error?.detail.contains("verysecret") == false)
        }
    }

    @Test func theURLTellsTheKindOfDestination() throws {
        #expect(try ObjectDestinations.make(url: "file:///a/b").description == "file:///a/b")
        #expect(try ObjectDestinations.make(url: "s3://bucket/b").description == "s3://bucket/b")
        let error = #expect(throws: ObjectError.self) { try ObjectDestinations.make(url: "gs://bucket/b") }
        #expect(error?.detail == "'gs://bucket/b' must be written file:///absolute/directory or s3://bucket/prefix")
    }

    private func endpoint(
        _ url: String?, _ addressing: S3Options.Addressing = .automatic, region: String = "eu-central-1", bucket: String = "bkt"
    )
        throws -> String
    {
        var options = S3Options()
        options.endpoint = url
        options.addressing = addressing
        options.region = region
        let endpoint = try S3Endpoint(options, bucket: bucket)
        return "\(endpoint.scheme)://\(endpoint.host)\(endpoint.path("k"))"
    }

    @Test func hostAndPathStyle() throws {
        #expect(try endpoint(nil) == "https://bkt.s3.eu-central-1.amazonaws.com/k")
        #expect(try endpoint(nil, region: "cn-north-1") == "https://bkt.s3.cn-north-1.amazonaws.com.cn/k")
        #expect(try endpoint(nil, bucket: "b.kt") == "https://s3.eu-central-1.amazonaws.com/b.kt/k")
        #expect(try endpoint(nil, .path) == "https://s3.eu-central-1.amazonaws.com/bkt/k")
        #expect(try endpoint("http://Minio.local:9000/") == "http://minio.local:9000/bkt/k")
        #expect(try endpoint("http://minio.local:9000", .host) == "http://bkt.minio.local:9000/k")
        #expect(try endpoint("https://minio:443") == "https://minio/bkt/k")
        #expect(try endpoint("http://[::1]:80") == "http://[::1]/bkt/k")
        #expect(try endpoint("http://127.0.0.1:8333") == "http://127.0.0.1:8333/bkt/k")
    }

    @Test(arguments: [
        "minio:9000", "ftp://minio", "http://", "http://minio:0", "http://minio:70000", "http://minio:", "http://minio/path",
        "http://mi nio",
        "http://minio?x", "http://[::1", "http://-_-", "http://a..b", "http://é",
    ])
    func aWrongEndpointSaysHowToWriteIt(url: String) {
        let error = #expect(throws: ObjectError.self) { try endpoint(url) }
        #expect(error?.code == .invalidDestination && error?.detail.contains("http://host:port") == true)
    }

    @Test func anAddressHasNoHostStyle() {
        let error = #expect(throws: ObjectError.self) { try endpoint("http://127.0.0.1:1", .host) }
        #expect(error?.detail == "127.0.0.1 is an IP address: it needs addressing 'path', or a name for 'host'")
    }

    @Test func optionsOutOfRangeAreRefused() {
        func refused(_ change: (inout S3Options) -> Void) -> String {
            var options = S3Options()
            change(&options)
            let error = #expect(throws: ObjectError.self) { try S3Destination(url: "s3://bucket", options: options) }
            #expect(error?.code == .invalidDestination)
            return error?.detail ?? ""
        }
        #expect(refused { $0.region = "" }.contains("eu-central-1"))
        #expect(refused { $0.region = "EU West" }.contains("eu-central-1"))
        #expect(refused { $0.partByteCount = (5 << 20) - 1 }.contains("5 MiB to 1 GiB"))
        #expect(refused { $0.partByteCount = .max }.contains("5 MiB to 1 GiB"))
        #expect(refused { $0.multipartByteCount = -1 }.contains("0 to 1 GiB"))
        #expect(refused { $0.requestTimeout = .zero }.contains("100 ms to 1 h"))
        #expect(refused { $0.retry.attempts = 0 }.contains("1 to 100"))
        #expect(refused { $0.retry.duration = .seconds(-1) }.contains("0 to 1 h"))
    }

    // MARK: Keys

    private func withFiles(_ contents: [String: String], _ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        for (name, content) in contents { try Data(content.utf8).write(to: directory.appendingPathComponent(name)) }
        try body(directory.path)
    }

    @Test func keysComeFromFilesAndAreReadAnew() throws {
        try withFiles(["id": "AKID\n", "secret": "first\r\n", "token": "t"]) { path in
            let source = S3CredentialSource.files(
                accessKeyID: "\(path)/id", secretAccessKey: "\(path)/secret", sessionToken: "\(path)/token")
            #expect(try source.load() == S3Credentials(accessKeyID: "AKID", secretAccessKey: "first", sessionToken: "t"))
            try Data("second".utf8).write(to: URL(fileURLWithPath: "\(path)/secret"))
            #expect(try source.load().secretAccessKey == "second")
        }
    }

    @Test(arguments: [
        ("empty", "is empty"), ("newline", "is empty"), ("lines", "more than one line"), ("spaces", "printable ASCII"),
        ("huge", "printable ASCII"),
        ("missing", "No such file"), (".", "is not a file"),
    ])
    func aWrongFileOfAKeyIsNamedWithoutItsContent(name: String, hint: String) throws {
        let huge = String(repeating: "verysecret", count: 10_000)
        let contents = ["id": "AKID", "empty": "", "newline": "\n", "lines": "verysecret\nb", "spaces": "very secret", "huge": huge]
        try withFiles(contents) { path in
            let source = S3CredentialSource.files(accessKeyID: "\(path)/id", secretAccessKey: "\(path)/\(name)")
            let error = #expect(throws: ObjectError.self) { try source.load() }
            #expect(error?.code == .unauthorized)
            #expect(error?.detail.contains(hint) == true && error?.detail.contains("\(path)/\(name)") == true)
            #expect(error?.detail.contains("very") == false)
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything")) func aFileThatMayNotBeReadIsNamed() throws {
        try withFiles(["id": "AKID", "secret": "s"]) { path in
            chmod("\(path)/secret", 0)
            let error = #expect(throws: ObjectError.self) {
                try S3CredentialSource.files(accessKeyID: "\(path)/id", secretAccessKey: "\(path)/secret").load()
            }
            #expect(error?.detail.contains("Permission denied") == true)
        }
    }

    /// In one test: the environment belongs to the whole process.
    @Test func keysComeFromTheEnvironment() throws {
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
        let before = names.map { ProcessInfo.processInfo.environment[$0] }
        defer { for (name, value) in zip(names, before) { if let value { setenv(name, value, 1) } else { unsetenv(name) } } }
        for name in names { unsetenv(name) }
        let unset = #expect(throws: ObjectError.self) { try S3CredentialSource.environment.load() }
        #expect(unset?.code == .unauthorized && unset?.detail.contains("AWS_ACCESS_KEY_ID is not set") == true)
        setenv(names[0], "AKID", 1)
        setenv(names[1], "two\nlines", 1)
        let wrong = #expect(throws: ObjectError.self) { try S3CredentialSource.environment.load() }
        #expect(wrong?.detail.contains("AWS_SECRET_ACCESS_KEY must be one line") == true && wrong?.detail.contains("two") == false)
        setenv(names[1], "secret", 1)
        setenv(names[2], "", 1)
        #expect(
            try S3CredentialSource.environment.load() == S3Credentials(accessKeyID: "AKID", secretAccessKey: "secret", sessionToken: nil))
        setenv(names[2], "token", 1)
        #expect(try S3CredentialSource.environment.load().sessionToken == "token")
    }
}
