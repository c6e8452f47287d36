import ArgumentParser
import Foundation
import Gateway

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Asks a running gateway, for the verbs that show what it holds.
struct APIClient: ParsableArguments {
    @Option(help: "Address of the gateway; that of the variable GAUGEHOUSE_URL when absent.")
    var url = ProcessInfo.processInfo.environment["GAUGEHOUSE_URL"] ?? "http://127.0.0.1:8080"

    @OptionGroup var token: TokenFlags

    @Option(help: "Table; the default table when absent.")
    var table: String?

    @Flag(help: "Print JSON.")
    var json = false

    /// - Parameter parameters: those that are nil are left out.
    func get(_ path: String, _ parameters: [String: String?] = [:]) async throws -> JSONValue {
        try await json(of: try request(path, parameters))
    }

    /// A GET, with the token.
    ///
    /// - Parameter parameters: those that are nil are left out.
    func request(_ path: String, _ parameters: [String: String?]?, isOfTable: Bool = true) throws -> URLRequest {
        var request = URLRequest(url: try address(path, parameters, isOfTable: isOfTable))
        if let secret = try token.secret() { request.setValue("Bearer \(secret)", forHTTPHeaderField: "Authorization") }
        return request
    }

    /// - Parameters:
    ///   - parameters: nil: all that is asked, the table included, stands in the body.
    ///   - members: of the JSON body; those that are null are left out.
    func post(_ path: String, _ parameters: [String: String?]? = nil, members: [String: JSONValue]) async throws -> JSONValue {
        let body = JSONValue.object(members.filter { $0.value != .null })
        return try await json(of: request(path, parameters, body: Data(body.json.utf8), contentType: "application/json"))
    }

    /// Asks for something that is not of a table: `--table` is no parameter of it.
    ///
    /// - Parameter body: JSON.
    /// - Returns: the answer, null when it has no body, and whether what was asked for is done; otherwise it will be.
    func manage(
        _ method: String, _ path: String, _ parameters: [String: String?] = [:], body: Data? = nil
    ) async throws -> (answer: JSONValue, isDone: Bool) {
        let (data, status) = try await managed(method, path, parameters, body: body)
        guard !data.isEmpty else { return (.null, true) }
        guard let value = Self.decode(data) else { throw ProblemText(status, .null).error }
        return (value, status != Self.accepted)
    }

    /// Text that is not of a table.
    func text(_ path: String, _ parameters: [String: String?]) async throws -> String {
        String(decoding: try await managed("GET", path, parameters).data, as: UTF8.self)
    }

    private static let accepted = 202

    private func managed(
        _ method: String, _ path: String, _ parameters: [String: String?], body: Data? = nil
    ) async throws -> (data: Data, status: Int) {
        var request = try request(path, parameters, isOfTable: false)
        request.httpMethod = method
        if let body {
            request.httpBody = body
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        let (data, status) = try await send(request)
        guard (200..<300).contains(status) else { throw ProblemText(status, Self.decode(data) ?? .null).error }
        return (data, status)
    }

    /// Every page of an answer, asked for with the token of the page before.
    ///
    /// - Parameters:
    ///   - limit: elements of all pages together.
    ///   - ask: asks for a page of so many elements; nil: the first.
    ///   - take: takes a page, and tells how many elements it had.
    /// - Returns: true when more follow.
    func pages(
        limit: Int, ask: (_ limit: Int, _ token: String?) async throws -> JSONValue, take: (JSONValue) throws -> Int
    ) async throws -> Bool {
        var (remaining, token) = (limit, String?.none)
        repeat {
            let page = try await ask(min(remaining, Self.pageLimit), token)
            remaining -= try take(page)
            token = page["next_page_token"].string
        } while token != nil && remaining > 0
        return token != nil
    }

    private static let pageLimit = 10_000

    /// Sends a body to be stored.
    ///
    /// - Returns: nil when all of it is stored; otherwise the problem.
    func write(_ body: Data, contentType: String, precision: String?) async throws -> JSONValue? {
        let (data, status) = try await send(
            request("/api/v1/write", ["precision": precision], body: body, contentType: contentType))
        if (200..<300).contains(status) { return nil }
        let problem = Self.decode(data) ?? .null
        // Of a part that was refused the rest is stored: it is for the caller to tell.
        guard problem["errors"] != .null else { throw ProblemText(status, problem).error }
        return problem
    }

    private func json(of request: URLRequest) async throws -> JSONValue {
        let (data, status) = try await send(request)
        let value = Self.decode(data)
        guard status == 200, let value else { throw ProblemText(status, value ?? .null).error }
        return value
    }

    private static func decode(_ data: Data) -> JSONValue? {
        // Not JSON: the gateway is something else, and the status says what there is to say.
        try? JSONDecoder().decode(JSONValue.self, from: data)
    }

    private func send(_ request: URLRequest) async throws -> (Data, Int) {
        do {
            let (data, response) = try await URLSession.shared.data(for: request)
            return (data, (response as? HTTPURLResponse)?.statusCode ?? 0)
        } catch {
            throw GatewayError("no answer from \(url); is the gateway running? (\(error.localizedDescription))", .unavailable)
        }
    }

    private func request(_ path: String, _ parameters: [String: String?]?, body: Data, contentType: String) throws -> URLRequest {
        var request = try request(path, parameters)
        request.httpMethod = "POST"
        request.httpBody = body
        request.setValue(contentType, forHTTPHeaderField: "Content-Type")
        return request
    }

    private func address(_ path: String, _ parameters: [String: String?]?, isOfTable: Bool) throws -> URL {
        guard var components = URLComponents(string: url), components.host != nil else {
            throw GatewayError("--url \(url) is no address like http://127.0.0.1:8080", .usage)
        }
        components.percentEncodedPath = components.percentEncodedPath.trimmingSuffix("/") + path
        let given = parameters?.merging(isOfTable ? ["table": table] : [:]) { $1 }.compactMapValues { $0 } ?? [:]
        // A plus sign would be read as a space.
        components.percentEncodedQuery = given.sorted { $0.key < $1.key }
            .map { "\($0.key)=\(Self.escaped($0.value))" }.joined(separator: "&")
        guard let address = components.url else { throw GatewayError("--url \(url) cannot be used", .usage) }
        return address
    }

    /// Every byte that is not a letter, a digit or one of `-._~` as `%XX`: device ids may hold any character.
    static func escaped(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}
