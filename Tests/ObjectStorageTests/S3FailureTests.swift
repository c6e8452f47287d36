import NIOCore
import NIOHTTP1
import Testing

@testable import ObjectStorage

@Suite struct S3FailureTests {
    /// 2026-11-22T07:11:58Z
    private static let now = 1_795_331_518

    private func failure(_ status: Int, _ code: String = "", _ message: String = "", more: String = "", headers: HTTPHeaders = [:])
        -> S3Failure
    {
        let body = code.isEmpty ? "" : "<Error><Code>\(code)</Code><Message>\(message)</Message><RequestId>R1</RequestId>\(more)</Error>"
        return S3Failure(
            HTTPAnswer(status: status, headers: headers, body: ByteBuffer(string: body)),
            credentials: S3Credentials(accessKeyID: "AKID", secretAccessKey: "verysecret", sessionToken: "verytoken"), now: Self.now)
    }

    @Test(arguments: [
        (403, "SignatureDoesNotMatch", ObjectError.Code.unauthorized), (403, "InvalidAccessKeyId", .unauthorized),
        (403, "AccessDenied", .unauthorized),
        (400, "ExpiredToken", .unauthorized), (401, "", .unauthorized), (403, "", .unauthorized),
        (403, "RequestTimeTooSkewed", .unauthorized),
        (404, "NoSuchBucket", .invalidDestination), (301, "PermanentRedirect", .invalidDestination), (301, "", .invalidDestination),
        (400, "AuthorizationHeaderMalformed", .invalidDestination), (400, "InvalidBucketName", .invalidDestination),
        (400, "EntityTooLarge", .invalidDestination), (400, "KeyTooLongError", .invalidDestination),
        (501, "NotImplemented", .invalidDestination),
        (500, "InternalError", .unreachable), (503, "SlowDown", .unreachable), (502, "", .unreachable), (504, "", .unreachable),
        (429, "", .unreachable), (400, "RequestTimeout", .unreachable), (200, "InternalError", .unreachable),
        (409, "OperationAborted", .unreachable),
        (507, "", .noSpace), (403, "QuotaExceeded", .noSpace), (507, "XMinioStorageFull", .noSpace),
        (412, "PreconditionFailed", .alreadyExists),
        (412, "", .alreadyExists), (409, "ObjectAlreadyExists", .alreadyExists), (400, "SomethingNew", .internal),
    ])
    func statusAndCodeTellWhatToDo(status: Int, code: String, expected: ObjectError.Code) {
        #expect(failure(status, code, "said").objectError("write s3://b/k").code == expected)
    }

    @Test func fullServersAreKnownByWhatTheySay() {
        #expect(failure(500, "InternalError", "No more free space left").errorCode == .noSpace)
        #expect(!failure(500, "InternalError", "No more free space left").isTransient)
    }

    @Test(arguments: [
        (500, "InternalError", true), (503, "", true), (200, "SlowDown", true), (400, "RequestTimeout", true), (400, "BadDigest", true),
        (409, "ConditionalRequestConflict", true), (403, "AccessDenied", false), (412, "", false), (404, "NoSuchKey", false),
        (501, "", false),
        (507, "", false), (301, "", false),
    ])
    func whatMayPassIsTriedAgain(status: Int, code: String, expected: Bool) {
        #expect(failure(status, code).isTransient == expected)
    }

    @Test func detailsSayWhatTheServerSaidAndWhatToDo() {
        #expect(
            failure(403, "AccessDenied", "No.").objectError("write s3://b/k").detail == "write s3://b/k: 403 AccessDenied: No. (request R1)"
        )
        #expect(
            failure(301, "PermanentRedirect", "Elsewhere", headers: ["x-amz-bucket-region": "eu-west-1"]).objectError("use").detail
                == "use: 301 PermanentRedirect: Elsewhere; set region = \"eu-west-1\" (request R1)")
        #expect(
            failure(400, "AuthorizationHeaderMalformed", "Wrong", more: "<Region>eu-west-2</Region>").objectError("use").detail
                == "use: 400 AuthorizationHeaderMalformed: Wrong; set region = \"eu-west-2\" (request R1)")
        #expect(
            failure(403, "RequestTimeTooSkewed", "Clocks", more: "<ServerTime>2026-11-22T08:11:58Z</ServerTime>").objectError("use").detail
                == "use: 403 RequestTimeTooSkewed: Clocks; this machine's clock is 3600 s behind the server's (request R1)")
        #expect(
            failure(403, "RequestTimeTooSkewed", "Clocks", headers: ["date": "Sun, 22 Nov 2026 07:11:48 GMT"]).objectError("use").detail
                == "use: 403 RequestTimeTooSkewed: Clocks; this machine's clock is 10 s ahead of the server's (request R1)")
    }

    @Test func whatAServerSendsIsKeptShortPlainAndWithoutSecrets() {
        let detail = failure(400, "Odd", "a\nb verysecret verytoken " + String(repeating: "x", count: 10_000)).objectError("use").detail
        #expect(detail.hasPrefix("use: 400 Odd: a b … … xxx") && detail.count < 400)
    }

    @Test func timesOfServers() {
        #expect(ServerTime.seconds("Sun, 22 Nov 2026 07:11:58 GMT") == Self.now)
        #expect(ServerTime.seconds("2026-11-22T07:11:58Z") == Self.now)
        #expect(ServerTime.seconds("2026-11-22T07:11:58.123Z") == Self.now)
        for text in ["", "x", "Sun, 99 Nov 2026 07:11:58 GMT", "2026-13-22T07:11:58Z", "999999999999-11-22T07:11:58Z", "-11-22T07:11:58Z"] {
            #expect(ServerTime.seconds(text) == nil)
        }
        #expect(ServerTime.pause("7", now: Self.now) == .seconds(7))
        #expect(ServerTime.pause("-7", now: Self.now) == .zero)
        #expect(ServerTime.pause("9223372036854775807", now: Self.now) == .seconds(86_400))
        #expect(ServerTime.pause("Sun, 22 Nov 2026 07:12:08 GMT", now: Self.now) == .seconds(10))
        #expect(ServerTime.pause("soon", now: Self.now) == nil)
    }

    @Test func pausesDoubleUpToTheGreatest() {
        var budget = S3RetryBudget()
        budget.attempts = 6
        budget.greatestPause = .seconds(1)
        let start = ContinuousClock.now
        var schedule = RetrySchedule(budget, now: start)
        let pauses = (0..<6).map { _ in schedule.pause(now: start, random: 1) }
        #expect(pauses == [.milliseconds(200), .milliseconds(400), .milliseconds(800), .seconds(1), .seconds(1), nil])
    }

    @Test func pausesAreRandomParts() {
        var schedule = RetrySchedule(S3RetryBudget(), now: .now)
        #expect(schedule.pause(random: 0) == .zero)
        #expect(schedule.pause(random: 0.5) == .milliseconds(200))
    }

    @Test func theBudgetOfTimeAndTheServersWishAreHeld() {
        let start = ContinuousClock.now
        var schedule = RetrySchedule(S3RetryBudget(), now: start)
        #expect(schedule.pause(retryAfter: .seconds(7), now: start, random: 0) == .seconds(7))
        #expect(schedule.pause(retryAfter: .seconds(61), now: start) == nil)
        #expect(schedule.pause(now: start + .seconds(61)) == nil)
    }

    @Test func aPageOfUploads() throws {
        let page = try StaleUploads.page(
            Array(
                """
                <ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
                <Upload><Key>f/a_0_f__1</Key><UploadId>u1</UploadId></Upload>
                <Upload><Key>no id</Key></Upload><Upload><Key>f/a&amp;b</Key><UploadId>u2</UploadId></Upload>
                <IsTruncated>true</IsTruncated><NextKeyMarker>f/a&amp;b</NextKeyMarker><NextUploadIdMarker>u2</NextUploadIdMarker>
                </ListMultipartUploadsResult>
                """.utf8), "list")
        #expect(page.uploads == [.init(key: "f/a_0_f__1", id: "u1"), .init(key: "f/a&b", id: "u2")])
        #expect(page.isTruncated && page.next == .init(key: "f/a&b", id: "u2"))
        #expect(throws: ObjectError.self) { try StaleUploads.page(Array("<html/>".utf8), "list") }
    }
}
