/// Requests over plain HTTP/1.1 with one kept connection, one after the other; blocking. Used by one thread at a time.
final class HTTPClient {
    private static let timeoutSeconds = 60

    let endpoint: HTTPEndpoint
    private let token: String?
    private var socket: Socket?
    private var reader: HTTPResponseReader

    init(endpoint: HTTPEndpoint, token: String?) {
        self.endpoint = endpoint
        self.token = token
        reader = HTTPResponseReader(peer: endpoint.name)
    }

    /// - Parameter target: path and query, percent-encoded, from the first `/`.
    /// - Throws: `.unavailable` when the server cannot be reached or hangs up, `.badPeer` when it does not speak HTTP.
    func get(_ target: String) throws(LoadError) -> HTTPResponse {
        let request = Array(endpoint.requestHead("GET", target, token: token).utf8)
        let isReused = socket != nil
        do {
            return try exchange(request)
        } catch {
            // A kept connection may have been closed by the server since; a GET may be repeated.
            guard isReused, error.code == .unavailable else { throw error }
        }
        return try exchange(request)
    }

    /// As `get`, but never repeated.
    func post(_ target: String, type: String, body: [UInt8]) throws(LoadError) -> HTTPResponse {
        try exchange(Array(endpoint.requestHead("POST", target, token: token, content: (type, body.count)).utf8) + body)
    }

    private func exchange(_ request: [UInt8]) throws(LoadError) -> HTTPResponse {
        do {
            let socket = try connected()
            try socket.writeAll(request)
            while true {
                if let response = try reader.next() {
                    if response.isLast { self.socket = nil }
                    return response
                }
                try receive(socket)
            }
        } catch {
            socket = nil
            throw error
        }
    }

    private func connected() throws(LoadError) -> Socket {
        if let socket { return socket }
        let socket = try Socket.connect(host: endpoint.host, port: endpoint.port, timeoutSeconds: Self.timeoutSeconds)
        self.socket = socket
        reader.reset()
        return socket
    }

    private func receive(_ socket: Socket) throws(LoadError) {
        let progress = try withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 1) { (buffer) throws(LoadError) in
            let progress = try socket.readSome(into: buffer)
            if case .bytes(let count) = progress { reader.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            return progress
        }
        switch progress {
        case .bytes: return
        case .wouldBlock: throw LoadError(.unavailable, "\(endpoint.name) does not answer")
        case .endOfStream: throw LoadError(.unavailable, "\(endpoint.name) closed the connection")
        }
    }
}
