import Foundation
import NIOHTTP1
import ObjectStores
import Testing

@testable import ObjectStorage

/// Against a real server.
@Suite struct S3DestinationTests {
    private func error(_ body: () throws -> Void) -> ObjectError? { #expect(throws: ObjectError.self) { try body() } }

    @Test(arguments: [
        "x", "table=a/year=2025/month=11/x.parquet", "a b/c d", "a+b", "a%b%20c", "é/日本/🚂", "a&b=c?d#e", "(a)'!*\"<>\\^`{|}~[];:@$,",
    ])
    func objectsComeBackUnderTheirKeys(key: String) throws {
        let bed = try S3TestBed()
        let destination = try bed.destination()
        let bytes = Array("content of \(key)".utf8)
        try destination.put(bytes, key)
        #expect(try destination.stat(ObjectKey(key)) == ObjectStat(byteCount: bytes.count))
        #expect(try destination.content(key) == bytes)
        #expect(try destination.read(ObjectKey(key), offset: 3, count: 4) == Array(bytes[3..<7]))
    }

    @Test func anEmptyObjectIsAnObject() throws {
        let destination = try S3TestBed().destination()
        try destination.put([], "empty")
        #expect(try destination.stat(ObjectKey("empty")) == ObjectStat(byteCount: 0))
        #expect(try destination.read(ObjectKey("empty"), offset: 0, count: 0) == [])
    }

    @Test func whatIsNotThereIsNil() throws {
        let destination = try S3TestBed().destination()
        #expect(try destination.stat(ObjectKey("missing")) == nil)
        #expect(error { _ = try destination.read(ObjectKey("missing"), offset: 0, count: 1) }?.code == .invalidDestination)
    }

    @Test func readsOutsideOfAnObjectFail() throws {
        let destination = try S3TestBed().destination()
        try destination.put(testBytes(10), "x")
        for (offset, count) in [(5, 6), (10, 1), (1 << 40, 1), (-1, 1), (0, -1), (0, 1 << 33), (.max, .max)] {
            #expect(error { _ = try destination.read(ObjectKey("x"), offset: offset, count: count) }?.code == .internal)
        }
    }

    /// 40 MB in pieces of 3 MiB and parts of 5 MiB: eight parts. Nothing is visible before the commit.
    @Test func aLargeObjectGoesInParts() throws {
        let bed = try S3TestBed(rule: { _ in .forward })
        let destination = try bed.destination()
        let bytes = testBytes(40_000_000)
        let upload = try destination.upload(ObjectKey("a=1/large.parquet"), owner: "task")
        try bytes.withUnsafeBytes { bytes in try upload.write(bytes) }
        #expect(try destination.stat(ObjectKey("a=1/large.parquet")) == nil)
        #expect(bed.proxy?.requests.count { $0.isPart } == 7)
        try upload.commit()
        #expect(bed.proxy?.requests.count { $0.isPart } == 8)
        #expect(try destination.content("a=1/large.parquet") == bytes)
        #expect(try bed.unfinished() == [])
    }

    @Test(arguments: [(5 << 20) - 1, 5 << 20, (5 << 20) + 1, (10 << 20) - 1, 10 << 20, (10 << 20) + 1])
    func sizesAroundTheLimits(byteCount: Int) throws {
        let bed = try S3TestBed(rule: { _ in .forward })
        let bytes = testBytes(byteCount)
        try bed.destination().put(bytes, "x", pieceByteCount: 1 << 20)
        #expect(try bed.direct().content("x") == bytes)
        let partCount = byteCount <= 5 << 20 ? 0 : (byteCount + (5 << 20) - 1) / (5 << 20)
        #expect(bed.proxy?.requests.count { $0.isPart } == partCount)
    }

    @Test(arguments: [10, 6_000_000]) func anObjectIsNeverReplaced(byteCount: Int) throws {
        let bed = try S3TestBed()
        let destination = try bed.destination()
        try destination.put(testBytes(byteCount, seed: 1), "x")
        let error = error { try destination.put(testBytes(byteCount, seed: 2), "x") }
        #expect(error?.code == .alreadyExists && error?.detail == "s3://delivery/\(bed.prefix)/x holds something else")
        #expect(try destination.content("x") == testBytes(byteCount, seed: 1))
        #expect(try bed.unfinished() == [])
    }

    @Test func documentsAreReplacedWhole() throws {
        let destination = try S3TestBed().destination()
        let key = try ObjectKey("a=1/manifest.json")
        for text in ["first, which is longer", "second"] {
            try destination.replace(key, with: Array(text.utf8))
            #expect(try destination.content(key.text) == Array(text.utf8))
        }
    }

    @Test(arguments: [10, 12_000_000]) func anAbandonedUploadLeavesNothing(byteCount: Int) throws {
        let bed = try S3TestBed()
        do {
            let upload = try bed.destination().upload(ObjectKey("x"), owner: "task")
            try testBytes(byteCount).withUnsafeBytes { bytes in try upload.write(bytes) }
            #expect(try bed.unfinished().isEmpty == (byteCount == 10))
        }
        #expect(try bed.unfinished() == [])
        #expect(try bed.destination().stat(ObjectKey("x")) == nil)
    }

    @Test func afterACommitNothingCanBeWritten() throws {
        let upload = try S3TestBed().destination().upload(ObjectKey("x"), owner: "task")
        try upload.commit()
        #expect(error { try upload.commit() }?.code == .internal)
        #expect(error { try testBytes(1).withUnsafeBytes { bytes in try upload.write(bytes) } }?.code == .internal)
    }

    // MARK: What a crash left

    @Test func onlyUnfinishedUploadsOfTheOwnerAreAborted() throws {
        let bed = try S3TestBed()
        let names = [
            "f/task_0_f__1.parquet", "f/task_0_f__2.parquet", "f/task-b_0_f__1.parquet", "f/g/task_0_f_g__1.parquet", "task_0___1.parquet",
        ]
        // Held, so that nobody aborts them: as if their process had died.
        let uploads = try names.map { name in
            let upload = try bed.destination().upload(ObjectKey(name), owner: "any")
            try testBytes(6 << 20).withUnsafeBytes { bytes in try upload.write(bytes) }
            return upload
        }
        #expect(try bed.unfinished().count == 5)
        try bed.destination().discardUnfinished(in: "f", owner: "task")
        try bed.destination().discardUnfinished(in: "missing", owner: "task")
        #expect(try bed.unfinished().sorted() == names[2...].map { "\(bed.prefix)/\($0)" }.sorted())
        try bed.destination().discardUnfinished(in: "", owner: "task")
        #expect(try bed.unfinished().count == 2)
        let error = error { try uploads[0].commit() }
        #expect(error?.code == .internal && error?.detail.contains("NoSuchUpload") == true)
        #expect(try bed.destination().stat(ObjectKey(names[0])) == nil)
        try uploads[2].commit()
        #expect(try bed.destination().stat(ObjectKey(names[2])) == ObjectStat(byteCount: 6 << 20))
    }

    @Test func allPagesOfALongListAreAborted() throws {
        let bed = try S3TestBed()
        let uploads = try (0..<5).map { number in
            let upload = try bed.destination().upload(ObjectKey("task_\(number)"), owner: "task")
            try testBytes(6 << 20).withUnsafeBytes { bytes in try upload.write(bytes) }
            return upload
        }
        let client = try S3Client(S3Location(url: "s3://delivery"), bed.options)
        #expect(try StaleUploads.list(client, prefix: bed.prefix, after: nil, limit: 2).uploads.count == 2)
        try StaleUploads.abortAll(client, prefix: "\(bed.prefix)/task_", uploadsPerPage: 2)
        #expect(try bed.unfinished() == [])
        #expect(uploads.count == 5)
    }

    /// As S3 pages: with a marker. Uploads in folders below stay, and are paged past.
    @Test func pagesAreFollowedByTheirMarkers() throws {
        @Sendable func list(_ keys: [String], next: String?) -> FaultProxy.Action {
            let uploads = keys.map { "<Upload><Key>\($0)</Key><UploadId>u</UploadId></Upload>" }.joined()
            let more = next.map { "<IsTruncated>true</IsTruncated><NextKeyMarker>\($0)</NextKeyMarker>" } ?? ""
            return .answer(.init(status: 200, body: "<ListMultipartUploadsResult>\(uploads)\(more)</ListMultipartUploadsResult>"))
        }
        let bed = try S3TestBed(rule: { request in
            if request.method == "DELETE" { return .answer(.init(status: 204)) }
            return request.uri.contains("key-marker=a_%2Fb") ? list(["a_2"], next: nil) : list(["a_/b"], next: "a_/b")
        })
        try StaleUploads.abortAll(S3Client(S3Location(url: "s3://delivery"), bed.options), prefix: "a_")
        #expect(bed.proxy?.requests.map(\.method) == ["GET", "GET", "DELETE"])
        #expect(bed.proxy?.requests.last?.uri == "/delivery/a_2?uploadId=u")
        let endless = try S3TestBed(rule: { request in
            request.method == "DELETE" ? .answer(.init(status: 204)) : list(["a_2"], next: "a_2")
        })
        try StaleUploads.abortAll(S3Client(S3Location(url: "s3://delivery"), endless.options), prefix: "a_")
        #expect(endless.proxy?.requests.count == 400)
    }

    @Test func abortingCanBeLeftToTheBucket() throws {
        let bed = try S3TestBed(change: { $0.abortsStaleUploads = false }, rule: { _ in .forward })
        try bed.destination().discardUnfinished(in: "f", owner: "task")
        #expect(bed.proxy?.requests.count == 0)
    }

    // MARK: Permissions

    @Test func aBucketThatIsThereIsPrepared() throws {
        try S3TestBed().destination().prepare()
        try S3TestBed("reader").destination().prepare()
    }

    /// It may put, get and look for objects, and that is all that a delivery needs.
    @Test func aKeyThatMayNotListCanDeliver() throws {
        let bed = try S3TestBed("writer")
        let destination = try bed.destination()
        try destination.prepare()
        try destination.discardUnfinished(in: "f", owner: "task")
        try destination.put(testBytes(6_000_000), "f/x")
        #expect(try destination.content("f/x") == testBytes(6_000_000))
    }

    @Test(arguments: [10, 6_000_000]) func aKeyThatMayOnlyReadIsUnauthorized(byteCount: Int) throws {
        let bed = try S3TestBed("reader")
        let error = error { try bed.destination().put(testBytes(byteCount), "x") }
        #expect(error?.code == .unauthorized && error?.detail.contains("403 AccessDenied: Access Denied.") == true)
    }

    @Test(arguments: [("nobody", "x", "InvalidAccessKeyId"), ("AKADMIN", "verywrong", "SignatureDoesNotMatch")])
    func wrongKeysAreUnauthorized(key: String, secret: String, code: String) throws {
        let bed = try S3TestBed()
        try bed.writeKeys(key, secret)
        let destination = try bed.destination()
        let operations: [() throws -> Void] = [
            { try destination.prepare() }, { _ = try destination.stat(ObjectKey("x")) },
            { _ = try destination.read(ObjectKey("x"), offset: 0, count: 1) }, { try destination.put([1], "x") },
            { try destination.put(testBytes(5 << 20), "x") }, { try destination.put(testBytes(6 << 20), "x") },
            { try destination.replace(ObjectKey("x"), with: [1]) }, { try destination.discardUnfinished(in: "", owner: "task") },
        ]
        for operation in operations {
            let error = error(operation)
            #expect(error?.code == .unauthorized && error?.detail.contains("403 \(code): ") == true, "\(String(describing: error))")
            #expect(error?.detail.contains("verywrong") == false)
        }
    }

    @Test func aMissingBucketIsAnInvalidDestination() throws {
        let destination = try S3TestBed().destination(bucket: "missing")
        for operation in [
            { try destination.prepare() }, { try destination.put([1], "x") }, { try destination.put(testBytes(6 << 20), "x") },
        ] {
            let error = error(operation)
            #expect(
                error?.code == .invalidDestination && error?.detail.contains("404 NoSuchBucket") == true, "\(String(describing: error))")
        }
    }

    @Test(arguments: [-3_600, 3_600]) func aWrongClockIsUnauthorizedAndSaysByHowMuch(seconds: Int) throws {
        let bed = try S3TestBed()
        let client = try S3Client(S3Location(url: "s3://delivery/x"), bed.options, now: { time(nil) + seconds })
        let destination = S3Destination(client: client)
        let error = error { try destination.put([1], "x") }
        #expect(error?.code == .unauthorized && error?.detail.contains("RequestTimeTooSkewed") == true)
        let difference = error?.detail.firstMatch(of: #/this machine's clock is (\d+) s (behind|ahead of) the server's/#)
        #expect(difference.flatMap { Int($0.1) }.map { (3_590...3_610).contains($0) } == true)
        #expect(difference?.2 == (seconds < 0 ? "behind" : "ahead of"))
    }

    @Test func keysMayBeReplacedWhileInUse() throws {
        let bed = try S3TestBed()
        try bed.writeKeys("nobody", "x")
        let destination = try bed.destination()
        #expect(error { try destination.put([1], "x") }?.code == .unauthorized)
        try bed.writeKeys(bed.server.identity("writer").key, bed.server.identity("writer").secret)
        try destination.put([1], "x")
        #expect(try destination.content("x") == [1])
    }

    @Test func missingKeysAreUnauthorizedAndNothingIsSent() throws {
        let bed = try S3TestBed(
            change: { $0.credentials = .files(accessKeyID: "/missing/id", secretAccessKey: "/missing/secret") }, rule: { _ in .forward })
        let error = error { try bed.destination().put([1], "x") }
        #expect(error?.code == .unauthorized && error?.detail.contains("/missing/id: No such file or directory") == true)
        #expect(bed.proxy?.requests.count == 0)
    }

    // MARK: Ways to the server

    @Test func theBucketMayBeAPartOfTheHost() throws {
        let bed = try S3TestBed()
        var options = bed.options
        options.endpoint = "http://localhost:\(bed.server.port)"
        options.addressing = .host
        let transport = HTTPTransport(addresses: ["delivery.localhost": "127.0.0.1"])
        let location = try S3Location(url: "s3://delivery/\(bed.prefix)")
        let destination = S3Destination(client: try S3Client(location, options, transport: transport))
        try destination.prepare()
        try destination.put(testBytes(6_000_000), "a=1/x")
        #expect(try bed.direct().content("a=1/x") == testBytes(6_000_000))
    }

    @Test func aSessionTokenIsSentAndSigned() throws {
        let bed = try S3TestBed(rule: { _ in .answer(.init(status: 200)) })
        let identity = bed.server.identity("admin")
        try bed.writeKeys(identity.key, identity.secret, token: "tokenOfTheDay==")
        try bed.destination().replace(ObjectKey("x"), with: [1])
        let request = bed.proxy?.requests.first
        #expect(request?.headers["x-amz-security-token"] == ["tokenOfTheDay=="])
        #expect(request?.headers["authorization"].first?.contains(";x-amz-security-token,") == true)
    }

    @Test(arguments: ["http://127.0.0.1:1", "http://no-such-host.invalid", "https://127.0.0.1:%"])
    func whatDoesNotAnswerIsUnreachable(endpoint: String) throws {
        let port = try SeaweedFS.shared.get().port
        let bed = try S3TestBed(change: {
            // TLS with a server that does not speak it.
            $0.endpoint = endpoint.replacing("%", with: "\(port)")
            $0.retry.attempts = 2
        })
        for operation in [{ try bed.destination().prepare() }, { try bed.destination().put([1], "x") }] {
            let error = error(operation)
            #expect(error?.code == .unreachable && error?.detail.contains("no answer (") == true, "\(String(describing: error))")
        }
    }
}
