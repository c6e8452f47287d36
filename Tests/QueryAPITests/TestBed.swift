import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// A store in a directory of its own, a clock that stands still, and a server over both.
struct TestBed: Sendable {
    /// 2025-11-24T16:00:00Z.
    static let now = Timestamp(microseconds: 1_764_000_000_000_000)

    let clock: ManualClock
    let store: TelemetryStore
    let client: any TestClientProtocol
    let server: QueryServer

    /// Runs `body` and removes everything again.
    ///
    /// - Parameter isLive: over a socket; otherwise requests go straight to the responder.
    static func run(
        tables: [TableOptions] = [TableOptions(name: "telemetry")], sources: QuerySources = QuerySources(),
        store configureStore: (inout StoreOptions) -> Void = { _ in }, isLive: Bool = false,
        configure: (inout QueryOptions) -> Void = { _ in },
        _ body: @Sendable (TestBed) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("query-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let clock = ManualClock(now)
        var storeOptions = StoreOptions(path: directory.path)
        configureStore(&storeOptions)
        let store = try TelemetryStore.open(options: storeOptions, tables: tables, clock: clock)
        var options = QueryOptions()
        options.version = "1.2.3"
        options.dataPath = directory.path
        configure(&options)
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let server = QueryServer(options: options, store: store, sources: sources, clock: clock, logger: logger)
        try await server.application().test(isLive ? .live : .router) { client in
            try await body(TestBed(clock: clock, store: store, client: client, server: server))
        }
        try store.close()
    }

    /// Commits readings past the API.
    @discardableResult
    func commit(_ readings: [Reading], table: TableNumber = 0) throws -> CommitReceipt {
        var batch = ReadingBatch()
        for reading in readings { batch.append(reading, table: table) }
        return try store.commit(&batch)
    }

    /// One reading, `age` before now.
    func commit(_ device: String, _ fields: [String: FieldValue], age: TimeSpan = .zero, table: TableNumber = 0) throws {
        let receipt = try commit([Reading(device: device, time: clock.now() - age, fields: fields)], table: table)
        #expect(receipt.rejections.isEmpty)
    }

    func send(
        _ method: HTTPRequest.Method, _ uri: String, headers: HTTPFields = [:], body: String? = nil
    ) async throws -> TestAnswer {
        let response = try await client.executeRequest(
            uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        return TestAnswer(response: response)
    }

    func get(_ uri: String, headers: HTTPFields = [:]) async throws -> TestAnswer { try await send(.get, uri, headers: headers) }

    func post(_ uri: String, _ body: String, headers: HTTPFields = [.contentType: "application/json"]) async throws -> TestAnswer {
        try await send(.post, uri, headers: headers, body: body)
    }

    /// Expects a problem of this status that names `param`.
    func expectProblem(
        _ status: Int, param: String?, method: HTTPRequest.Method = .get, _ uri: String, headers: HTTPFields = [:], body: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await send(method, uri, headers: headers, body: body)
        #expect(answer.status == status, "\(uri): \(answer.text)", sourceLocation: sourceLocation)
        #expect(answer.headers[.contentType] == "application/problem+json", "\(uri)", sourceLocation: sourceLocation)
        let problem = try answer.json
        #expect(problem["status"] == .number("\(status)"), "\(uri)", sourceLocation: sourceLocation)
        #expect(problem["param"] == param.map { .string($0) }, "\(uri): \(answer.text)", sourceLocation: sourceLocation)
        #expect(problem["type"]?.text?.hasPrefix("/problems/") == true, "\(uri)", sourceLocation: sourceLocation)
        #expect(problem["title"]?.text?.isEmpty == false, "\(uri)", sourceLocation: sourceLocation)
        #expect(problem["detail"]?.text?.isEmpty == false, "\(uri)", sourceLocation: sourceLocation)
        #expect(problem["request_id"]?.text == answer.headers[.requestID], "\(uri)", sourceLocation: sourceLocation)
    }

    /// Every page's elements of the array `member`, in order.
    func pages(_ uri: String, _ member: String) async throws -> [[JSONValue]] {
        var pages: [[JSONValue]] = []
        var token: String?
        repeat {
            let answer = try await get(uri + (token.map { "&page_token=\($0)" } ?? ""))
            #expect(answer.status == 200, "\(uri): \(answer.text)")
            let json = try answer.json
            pages.append(json[member]?.elements ?? [])
            token = json["next_page_token"]?.text
        } while token != nil && pages.count < 1_000
        return pages
    }
}

struct TestAnswer: Sendable {
    let response: TestResponse

    var status: Int { response.status.code }
    var headers: HTTPFields { response.headers }
    var text: String { String(buffer: response.body) }
    var json: JSONValue { get throws { try JSONValue.parse(Array(response.body.readableBytesView)) } }
    var bytes: [UInt8] { Array(response.body.readableBytesView) }
    /// Bytes of the body.
    var byteCount: Int { response.body.readableBytes }
    var trailers: HTTPFields? { response.trailerHeaders }
    var lines: [String] { text.split(whereSeparator: \.isNewline).map(String.init) }
}

extension JSONValue {
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    subscript(_ index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var number: String? { if case .number(let number) = self { number } else { nil } }
    var names: [String]? { if case .object(let members) = self { members.map(\.name) } else { nil } }
}

extension HTTPField.Name {
    static let requestID = HTTPField.Name("x-request-id")!
    static let nextPageToken = HTTPField.Name("x-next-page-token")!
}
