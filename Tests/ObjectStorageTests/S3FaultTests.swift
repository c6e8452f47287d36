import Foundation
import NIOHTTP1
import ObjectStores
import Synchronization
import Testing

@testable import ObjectStorage

/// What a network and a server do at their worst, between the destination and a real server: a named error or success, and never half an
/// object, another's object, or one of ours taken for another's.
@Suite struct S3FaultTests {
    private static let large = 12_000_000

    private func error(_ body: () throws -> Void) -> ObjectError? { #expect(throws: ObjectError.self) { try body() } }

    /// What happens to the first `count` of the requests asked for. The others go through.
    private func first(
        _ count: Int = 1, where isMeant: @escaping @Sendable (FaultProxy.Request) -> Bool, _ action: FaultProxy.Action
    ) -> FaultProxy.Rule {
        let left = Counter(count)
        return { request in isMeant(request) && left.take() ? action : .forward }
    }

    /// Each passes by the next try.
    static let passing: [FaultProxy.Action] = [
        .cut(afterByteCount: 1), .answer(.error(500, "InternalError")), .answer(.init(status: 502)), .answer(.error(503, "SlowDown")),
        .answer(.init(status: 504)), .answer(.init(status: 429)), .answer(.error(400, "RequestTimeout")),
        .answer(.error(409, "ConditionalRequestConflict")), .silence, .forwardAndAnswer(.error(500, "InternalError")), .forwardAndCut,
        .forwardAndSilence,
    ]

    @Test(arguments: passing.indices) func aPutThatFailsOnceIsStoredOnce(index: Int) throws {
        let bed = try S3TestBed(change: { $0.requestTimeout = .milliseconds(400) }, rule: first(where: \.isPut, Self.passing[index]))
        try bed.destination().put(testBytes(5 << 10), "x")
        #expect(bed.proxy?.requests.count { $0.isPut } == 2)
        #expect(try bed.direct().content("x") == testBytes(5 << 10))
    }

    @Test(arguments: passing.indices) func aPartThatFailsOnceIsSentAgain(index: Int) throws {
        // A part has a minute and more by its size; silence is only for the small last one.
        let isMeant: @Sendable (FaultProxy.Request) -> Bool = { $0.isPart && $0.uri.contains("partNumber=3&") }
        let bed = try S3TestBed(change: { $0.requestTimeout = .milliseconds(400) }, rule: first(where: isMeant, Self.passing[index]))
        let bytes = testBytes(10 << 20 | 7)
        try bed.destination().put(bytes, "x")
        #expect(bed.proxy?.requests.count { $0.isPart } == 4)
        #expect(try bed.direct().content("x") == bytes)
    }

    static let passingCompletions: [FaultProxy.Action] =
        passing.filter { action in
            // The time of a completion grows with the object's size.
            if case .silence = action { return false }
            if case .forwardAndSilence = action { return false }
            return true
        } + [
            .answer(.error(200, "InternalError")), .forwardAndAnswer(.error(200, "InternalError")), .forwardAndAnswer(.init(status: 200)),
            .forwardAndAnswer(.init(status: 200, body: "<CompleteMultipa")),
        ]

    @Test(arguments: passingCompletions.indices) func aCompletionThatFailsOnceIsDoneOnce(index: Int) throws {
        let bed = try S3TestBed(rule: first(where: \.isCompletion, Self.passingCompletions[index]))
        try bed.destination().put(testBytes(6 << 20), "x")
        #expect(try bed.direct().content("x") == testBytes(6 << 20))
        #expect(try bed.unfinished() == [])
    }

    /// Also when every answer to it is lost: the object says that it is ours.
    @Test(arguments: [10, 6 << 20]) func whatWasStoredIsFoundThoughNoAnswerSaidSo(byteCount: Int) throws {
        let bed = try S3TestBed(rule: first(99, where: { $0.isPut || $0.isCompletion }, .forwardAndAnswer(.error(500, "InternalError"))))
        try bed.destination().put(testBytes(byteCount), "x")
        #expect(try bed.direct().content("x") == testBytes(byteCount))
    }

    /// A completion that says 200 and stores nothing is no success.
    @Test func aCompletionThatOnlySaysSoIsAnError() throws {
        let bed = try S3TestBed(rule: first(99, where: \.isCompletion, .answer(.init(status: 200))))
        let error = error { try bed.destination().put(testBytes(6 << 20), "x") }
        #expect(error?.code == .internal && error?.detail.contains("is not there") == true)
        #expect(try bed.unfinished() == [])
    }

    /// Somebody else's object came between the two tries.
    @Test func anothersObjectIsNotTakenForOurs() throws {
        let bed = try S3TestBed(rule: first(where: \.isPut, .answer(.error(500, "InternalError"))))
        try bed.direct().put(testBytes(10, seed: 2), "x")
        #expect(error { try bed.destination().put(testBytes(10, seed: 1), "x") }?.code == .alreadyExists)
        #expect(try bed.direct().content("x") == testBytes(10, seed: 2))
    }

    @Test func aServerThatStaysDownIsUnreachableAndNothingIsVisible() throws {
        for rule in [
            first(99, where: \.isPut, .answer(.error(503, "SlowDown", "Reduce your rate"))),
            first(99, where: { _ in true }, .cut(afterByteCount: 0)),
        ] {
            let bed = try S3TestBed(rule: rule)
            #expect(error { try bed.destination().put(testBytes(10), "x") }?.code == .unreachable)
            #expect(bed.proxy?.requests.count { $0.isPut } == 4)
            #expect(try bed.direct().stat(ObjectKey("x")) == nil)
        }
    }

    @Test func partsOfAFailedUploadAreAborted() throws {
        let bed = try S3TestBed(
            rule: first(99, where: { $0.isPart && $0.uri.contains("partNumber=2&") }, .answer(.error(500, "InternalError"))))
        let error = error { try bed.destination().put(testBytes(Self.large), "x") }
        #expect(error?.code == .unreachable && error?.detail.contains("send part 2 of s3://delivery/") == true)
        #expect(error?.detail.contains("500 InternalError: injected") == true)
        #expect(try bed.unfinished() == [])
    }

    @Test func theServersWishToWaitIsHeld() throws {
        let answer = FaultProxy.Answer(status: 503, headers: ["retry-after": "1"])
        let bed = try S3TestBed(rule: first(where: \.isPut, .answer(answer)))
        let duration = try ContinuousClock().measure { try bed.destination().put([1], "x") }
        #expect(duration >= .seconds(1))
        let impatient = try S3TestBed(change: { $0.retry.duration = .milliseconds(500) }, rule: first(where: \.isPut, .answer(answer)))
        #expect(error { try impatient.destination().put([1], "x") }?.code == .unreachable)
        #expect(impatient.proxy?.requests.count { $0.isPut } == 1)
    }

    @Test func aFullServerIsNoSpaceAtOnce() throws {
        for answer in [FaultProxy.Answer.error(500, "InternalError", "No more free space left"), .error(507, "XMinioStorageFull")] {
            let bed = try S3TestBed(rule: first(99, where: \.isPut, .answer(answer)))
            #expect(error { try bed.destination().put([1], "x") }?.code == .noSpace)
            #expect(bed.proxy?.requests.count { $0.isPut } == 1)
        }
    }

    @Test func aBucketElsewhereNamesItsRegion() throws {
        let answer = FaultProxy.Answer(
            status: 301, headers: ["x-amz-bucket-region": "eu-west-3", "location": "http://127.0.0.1:1/"],
            body: "<Error><Code>PermanentRedirect</Code><Message>Elsewhere</Message></Error>")
        let bed = try S3TestBed(rule: first(99, where: { _ in true }, .answer(answer)))
        for operation in [{ try bed.destination().prepare() }, { try bed.destination().put([1], "x") }] {
            let error = error(operation)
            #expect(error?.code == .invalidDestination && error?.detail.contains("set region = \"eu-west-3\"") == true)
        }
    }

    @Test func anAnswerWithFewerOrMoreBytesIsNoRead() throws {
        let bed = try S3TestBed(rule: { $0.method == "GET" ? .forwardAndShorten(byteCount: 9) : .forward })
        try bed.destination().put(testBytes(10), "x")
        #expect(error { _ = try bed.destination().read(ObjectKey("x"), offset: 0, count: 10) }?.code == .internal)
        let deaf = try S3TestBed(rule: {
            $0.method == "GET" ? .answer(.init(status: 200, body: String(repeating: "x", count: 200_000))) : .forward
        })
        #expect(error { _ = try deaf.destination().read(ObjectKey("x"), offset: 0, count: 10) }?.code == .internal)
        #expect(error { _ = try deaf.destination().read(ObjectKey("x"), offset: 1, count: 200_000) }?.code == .internal)
    }

    @Test func aMissingChecksumIsMadeUpForByTheUploadsMark() throws {
        // As a server that keeps no checksums: the object is stored without one, with the mark.
        let bed = try S3TestBed()
        let head = S3Head(byteCount: 3, checksum: nil, nonce: nil)
        #expect(head.checksum == nil)
        try bed.destination().put([1, 2, 3], "x")
        let client = try S3Client(S3Location(url: "s3://delivery"), bed.options)
        let found = try S3Head.ask(client, "\(bed.prefix)/x")
        #expect(found?.checksum == "A5BYxvLAy0ksUzsKTRTvd8wPeKvMztUofYShogEc+4E=" && found?.nonce?.count == 32)
    }

    /// SeaweedFS does not tell that from other troubles: it is tried again later, which is right, too.
    @Test func aServerThatIsFullInTruth() throws {
        let server = try SeaweedFS(volumeCount: 1)
        defer { server.stop() }
        let bed = try S3TestBed(server: server)
        try bed.destination().put(testBytes(6 << 20), "first")
        let error = error { try bed.destination().put(testBytes(80 << 20), "second") }
        #expect(error?.code == .unreachable && error?.detail.contains("500 InternalError: ") == true)
        #expect(try bed.destination().stat(ObjectKey("second")) == nil)
        #expect(try bed.destination().content("first") == testBytes(6 << 20))
        #expect(try bed.unfinished() == [])
    }

    @Test func aStopEndsThePauses() throws {
        let answer = FaultProxy.Answer(status: 503, headers: ["retry-after": "30"])
        let stop = Stop()
        let bed = try S3TestBed(
            change: { $0.isStopped = { stop.isSet } },
            rule: { _ in
                stop.set()
                return .answer(answer)
            })
        let duration = ContinuousClock().measure {
            #expect(error { try bed.destination().replace(ObjectKey("x"), with: [1]) }?.code == .unreachable)
        }
        #expect(duration < .seconds(5) && bed.proxy?.requests.count == 1)
    }

    /// The server is killed when two of three parts are there, and comes back: what was acked is whole, what was not is aborted.
    @Test func aServerKilledInMidUpload() throws {
        let server = try SeaweedFS()
        defer { server.stop() }
        let bed = try S3TestBed(server: server, change: { $0.retry.attempts = 2 })
        let destination = try bed.destination()
        try destination.put(testBytes(6 << 20), "f/task_0_f__1.parquet")
        let bytes = testBytes(Self.large, seed: 2)
        do {
            let upload = try destination.upload(ObjectKey("f/task_0_f__2.parquet"), owner: "task")
            try bytes.withUnsafeBytes { bytes in try upload.write(bytes) }
            try server.kill()
            #expect(error { try upload.commit() }?.code == .unreachable)
        }
        #expect(error { _ = try destination.stat(ObjectKey("f/task_0_f__2.parquet")) }?.code == .unreachable)
        try server.start()
        #expect(try destination.stat(ObjectKey("f/task_0_f__2.parquet")) == nil)
        #expect(try bed.unfinished().count == 1)
        try destination.discardUnfinished(in: "f", owner: "task")
        #expect(try bed.unfinished() == [])
        try destination.put(bytes, "f/task_0_f__2.parquet")
        #expect(try destination.content("f/task_0_f__1.parquet") == testBytes(6 << 20))
        #expect(try destination.content("f/task_0_f__2.parquet") == bytes)
    }

    private final class Stop: Sendable {
        private let flag = Atomic(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }
    }

    private final class Counter: Sendable {
        private let left: Mutex<Int>
        init(_ count: Int) { left = Mutex(count) }
        func take() -> Bool {
            left.withLock { left in
                left -= 1
                return left >= 0
            }
        }
    }
}
