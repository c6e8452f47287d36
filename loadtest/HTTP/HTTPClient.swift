/// GET over plain HTTP/1.1 with one kept connection; blocking. All that verification needs.
final class HTTPClient {
    struct Response {
        var status: Int
        var body: [UInt8]
    }

    private static let timeoutSeconds = 60
    private static let maximumHeadByteCount = 64 << 10

    private let host: String
    private let port: UInt16
    private let basePath: String
    private let token: String?
    private var socket: Socket?
    private var bytes: [UInt8] = []
    private var head = 0

    /// Nil unless it is `http://host[:port][/path]`; IPv6 hosts stand in brackets.
    init?(url: String, token: String?) {
        guard url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" }
        var path = rest.dropFirst(authority.count)
        while path.last == "/" { path.removeLast() }
        let isBracketed = authority.first == "["
        guard let hostEnd = isBracketed ? authority.lastIndex(of: "]") : (authority.lastIndex(of: ":") ?? authority.endIndex) else {
            return nil
        }
        let portText = authority[hostEnd...].drop { $0 == "]" }
        guard let port = portText.isEmpty ? 80 : portText.first == ":" ? UInt16(portText.dropFirst()) : nil else { return nil }
        host = String(isBracketed ? authority[..<hostEnd].dropFirst() : authority[..<hostEnd])
        guard !host.isEmpty else { return nil }
        self.port = port
        self.token = token
        basePath = String(path)
    }

    /// - Parameter target: path and query, percent-encoded, from the first `/`.
    /// - Throws: `.unavailable` when the server cannot be reached or hangs up, `.badPeer` when it does not speak HTTP.
    func get(_ target: String) throws(LoadError) -> Response {
        let isReused = socket != nil
        do {
            return try exchange(target)
        } catch {
            socket = nil
            // A kept connection may have been closed by the server since; a GET may be repeated.
            guard isReused, error.code == .unavailable else { throw error }
        }
        do {
            return try exchange(target)
        } catch {
            socket = nil
            throw error
        }
    }

    private func exchange(_ target: String) throws(LoadError) -> Response {
        let socket = try connected()
        bytes.removeAll(keepingCapacity: true)
        head = 0
        var request = "GET \(basePath)\(target) HTTP/1.1\r\nHost: \(host):\(port)\r\nAccept: application/json\r\n"
        if let token { request += "Authorization: Bearer \(token)\r\n" }
        try socket.writeAll(Array((request + "\r\n").utf8))
        let (status, fields) = try readHead()
        let body: [UInt8]
        if fields["transfer-encoding"]?.lowercased() == "chunked" {
            body = try readChunks()
        } else if let length = fields["content-length"].flatMap({ Int($0) }) {
            body = try take(length)
        } else {
            throw LoadError(.badPeer, "\(host):\(port) answers without a length")
        }
        if fields["connection"]?.lowercased() == "close" { self.socket = nil }
        return Response(status: status, body: body)
    }

    private func connected() throws(LoadError) -> Socket {
        if let socket { return socket }
        let socket = try Socket.connect(host: host, port: port, timeoutSeconds: Self.timeoutSeconds)
        self.socket = socket
        return socket
    }

    private func readHead() throws(LoadError) -> (status: Int, fields: [String: String]) {
        let statusLine = try line().split(separator: " ", maxSplits: 2)
        guard statusLine.count >= 2, statusLine[0].hasPrefix("HTTP/1."), let status = Int(statusLine[1]) else {
            throw LoadError(.badPeer, "\(host):\(port) does not speak HTTP/1.1")
        }
        var fields: [String: String] = [:]
        while true {
            let line = try line()
            if line.isEmpty { return (status, fields) }
            guard let colon = line.firstIndex(of: ":") else { throw LoadError(.badPeer, "\(host):\(port) sent a bad header field") }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields[line[..<colon].lowercased()] = String(value)
        }
    }

    private func readChunks() throws(LoadError) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            guard let size = Int(try line().prefix { $0 != ";" }, radix: 16), size >= 0 else {
                throw LoadError(.badPeer, "\(host):\(port) sent a bad chunk")
            }
            body += try take(size)
            // The end of the chunk's data, or after the last chunk the end of the (always empty) trailers.
            guard try line().isEmpty else { throw LoadError(.badPeer, "\(host):\(port) sent a bad chunk") }
            if size == 0 { return body }
        }
    }

    private func line() throws(LoadError) -> String {
        var searched = head
        while true {
            if let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                var line = bytes[head..<end]
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                head = end + 1
                return String(decoding: line, as: UTF8.self)
            }
            searched = bytes.count
            guard bytes.count - head < Self.maximumHeadByteCount else { throw LoadError(.badPeer, "\(host):\(port) sent an endless line") }
            try receive()
        }
    }

    private func take(_ count: Int) throws(LoadError) -> [UInt8] {
        while bytes.count - head < count { try receive() }
        defer { head += count }
        return Array(bytes[head..<(head + count)])
    }

    private func receive() throws(LoadError) {
        guard let socket else { throw LoadError(.unavailable, "not connected") }
        let progress = try withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 1) { (buffer) throws(LoadError) in
            let progress = try socket.readSome(into: buffer)
            if case .bytes(let count) = progress { bytes.append(contentsOf: buffer[..<count]) }
            return progress
        }
        switch progress {
        case .bytes: return
        case .wouldBlock: throw LoadError(.unavailable, "\(host):\(port) does not answer")
        case .endOfStream: throw LoadError(.unavailable, "\(host):\(port) closed the connection")
        }
    }
}
