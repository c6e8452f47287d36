import ArgumentParser
import Foundation
import Gateway

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Asks a running gateway, for the verbs that show what it holds.
struct APIClient: ParsableArguments {
    @Option(help: "Address of the gateway.")
    var url = "http://127.0.0.1:8080"

    @Option(help: "Token that the gateway asks for; GAUGEHOUSE_TOKEN of the environment when absent.")
    var token: String?

    @Option(help: "Table; the default table when absent.")
    var table: String?

    @Flag(help: "Print the answer as JSON.")
    var json = false

    /// - Parameter parameters: those that are nil are left out.
    func get(_ path: String, _ parameters: [String: String?] = [:]) async throws -> JSONValue {
        let (data, response) = try await send(request(path, parameters))
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        let value = try? JSONDecoder().decode(JSONValue.self, from: data)
        guard status == 200, let value else { throw Self.failure(status, value ?? .null) }
        return value
    }

    func request(_ path: String, _ parameters: [String: String?]) throws -> URLRequest {
        var request = URLRequest(url: try address(path, parameters))
        if let token = token ?? ProcessInfo.processInfo.environment["GAUGEHOUSE_TOKEN"] {
            request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        }
        return request
    }

    private func send(_ request: URLRequest) async throws -> (Data, URLResponse) {
        do {
            return try await URLSession.shared.data(for: request)
        } catch {
            throw GatewayError("no answer from \(url); is the gateway running? (\(error.localizedDescription))", .unavailable)
        }
    }

    private func address(_ path: String, _ parameters: [String: String?]) throws -> URL {
        guard var components = URLComponents(string: url), components.host != nil else {
            throw GatewayError("--url \(url) is no address like http://127.0.0.1:8080", .usage)
        }
        components.percentEncodedPath = components.percentEncodedPath.trimmingSuffix("/") + path
        let given = parameters.merging(["table": table]) { $1 }.compactMapValues { $0 }
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

    static func failure(_ status: Int, _ problem: JSONValue) -> GatewayError {
        let detail = [problem["title"].string, problem["detail"].string].compactMap { $0 }.joined(separator: ": ")
        let text = detail.isEmpty ? "the gateway answered with status \(status)" : detail
        return GatewayError(text, status == 404 ? .noInput : (400..<500).contains(status) ? .usage : .unavailable)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}
