import ArgumentParser

/// Where readings go.
enum Target: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    case mqtt
    case influxdb
    case victoriametrics
    /// Gaugehouse's own `/api/v1/write`.
    case gaugehouseHTTP = "gaugehouse-http"
}

/// How readings are written over HTTP.
enum WriteFormat: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    case lineProtocol = "line-protocol"
    case ndjson
    /// A list of Gaugehouse's own objects.
    case json

    var contentType: String {
        switch self {
        case .lineProtocol: "text/plain; charset=utf-8"
        case .ndjson: "application/x-ndjson"
        case .json: "application/json"
        }
    }
}

/// A server that takes readings over HTTP. Times are ns, every server's default for lines.
struct HTTPWriteTarget: Sendable {
    let target: Target
    let endpoint: HTTPEndpoint
    let token: String?
    let format: WriteFormat
    /// InfluxDB's.
    let database: String
    /// Gaugehouse's; nil: the default one.
    let table: String?
    /// Messages in one request at most.
    let batchLimit: Int

    var path: String {
        switch target {
        case .influxdb: "/write?db=\(GatewayReader.percentEncoded(database))"
        case .victoriametrics: "/write"
        case .gaugehouseHTTP, .mqtt: "/api/v1/write" + (table.map { "?table=\(GatewayReader.percentEncoded($0))" } ?? "")
        }
    }

    /// Makes sure that there is a server, and a database in it. Blocking.
    func prepare() throws(LoadError) {
        let client = HTTPClient(endpoint: endpoint, token: token)
        switch target {
        case .influxdb:
            let statement = GatewayReader.percentEncoded("CREATE DATABASE \"\(database)\"")
            let response = try client.post("/query?q=\(statement)", type: "application/x-www-form-urlencoded", body: [])
            guard response.status == 200 else { throw Self.refusal("cannot create database \(database)", response) }
        case .victoriametrics:
            let response = try client.get("/health")
            guard response.status == 200 else { throw Self.refusal("\(endpoint.name) is no VictoriaMetrics", response) }
        case .gaugehouseHTTP, .mqtt:
            let response = try client.get("/-/ready")
            guard response.status == 200 else { throw Self.refusal("\(endpoint.name) is not ready", response) }
        }
    }

    static func refusal(_ what: String, _ response: HTTPResponse) -> LoadError {
        let words = String(decoding: response.body.prefix(500), as: UTF8.self)
        let code: LoadError.Code =
            switch response.status {
            case 401, 403: .refused
            case 429, 500...: .unavailable
            default: .badPeer
            }
        return LoadError(code, "\(what): status \(response.status)\(words.isEmpty ? "" : ": \(words)")")
    }
}
