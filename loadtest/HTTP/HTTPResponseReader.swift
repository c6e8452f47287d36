struct HTTPResponse: Equatable, Sendable {
    var status: Int
    var body: [UInt8]
    /// The server will close the connection.
    var isLast: Bool
}

/// Cuts a server's byte stream into the answers to requests. Bytes come in any portions. Source: RFC 9112.
struct HTTPResponseReader {
    private enum Stage: Equatable {
        case head
        /// So many bytes are missing.
        case body(Int)
        case chunkSize
        case chunk(Int)
        case chunkEnd(isLast: Bool)
    }

    private static let maximumLineByteCount = 64 << 10

    private let peer: String
    private var bytes: [UInt8] = []
    private var position = 0
    private var stage = Stage.head
    private var response = HTTPResponse(status: 0, body: [], isLast: false)

    init(peer: String) { self.peer = peer }

    mutating func feed(_ portion: UnsafeRawBufferPointer) {
        if position == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            position = 0
        }
        bytes.append(contentsOf: portion)
    }

    mutating func reset() { self = HTTPResponseReader(peer: peer) }

    /// The next whole answer; nil when more bytes are needed.
    /// - Throws: `.badPeer` for what is no HTTP/1.1 answer.
    mutating func next() throws(LoadError) -> HTTPResponse? {
        while true {
            switch stage {
            case .head:
                guard try readHead() else { return nil }
            case .body(let missing):
                stage = .body(take(missing))
            case .chunkSize:
                guard let line = try line() else { return nil }
                guard let size = Int(line.prefix { $0 != ";" }, radix: 16), size >= 0 else { throw failure("sent a bad chunk") }
                stage = size == 0 ? .chunkEnd(isLast: true) : .chunk(size)
            case .chunk(let missing):
                let rest = take(missing)
                stage = rest == 0 ? .chunkEnd(isLast: false) : .chunk(rest)
                if rest > 0 { return nil }
            case .chunkEnd(let isLast):
                guard let line = try line() else { return nil }
                // The end of the chunk's data, or after the last chunk the end of the (always empty) trailers.
                guard line.isEmpty else { throw failure("sent a bad chunk") }
                stage = isLast ? .body(0) : .chunkSize
            }
            if stage == .body(0) {
                defer { (stage, response) = (.head, HTTPResponse(status: 0, body: [], isLast: false)) }
                return response
            }
            if case .body = stage, position == bytes.count { return nil }
        }
    }

    /// False when the head is not complete.
    private mutating func readHead() throws(LoadError) -> Bool {
        guard let end = headEnd() else {
            guard bytes.count - position < Self.maximumLineByteCount else { throw failure("sent an endless head") }
            return false
        }
        let statusLine = try line()?.split(separator: " ", maxSplits: 2) ?? []
        guard statusLine.count >= 2, statusLine[0].hasPrefix("HTTP/1."), let status = Int(statusLine[1]) else {
            throw failure("does not speak HTTP/1.1")
        }
        var fields: [String: String] = [:]
        while position < end, let line = try line(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { throw failure("sent a bad header field") }
            fields[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        response = HTTPResponse(status: status, body: [], isLast: fields["connection"]?.lowercased() == "close")
        if status == 204 || status == 304 {
            stage = .body(0)
        } else if fields["transfer-encoding"]?.lowercased() == "chunked" {
            stage = .chunkSize
        } else if let length = fields["content-length"].flatMap({ Int($0) }), length >= 0 {
            stage = .body(length)
        } else {
            throw failure("answers without a length")
        }
        return true
    }

    /// Behind the empty line.
    private func headEnd() -> Int? {
        var start = position
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = bytes[start..<end]
            if line.isEmpty || line.elementsEqual([UInt8(ascii: "\r")]) { return end + 1 }
            start = end + 1
        }
        return nil
    }

    private mutating func line() throws(LoadError) -> String? {
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
            guard bytes.count - position < Self.maximumLineByteCount else { throw failure("sent an endless line") }
            return nil
        }
        var line = bytes[position..<end]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        position = end + 1
        return String(decoding: line, as: UTF8.self)
    }

    /// Moves up to `count` bytes to the body; returns how many are still missing.
    private mutating func take(_ count: Int) -> Int {
        let available = min(count, bytes.count - position)
        response.body.append(contentsOf: bytes[position..<(position + available)])
        position += available
        return count - available
    }

    private func failure(_ words: String) -> LoadError { LoadError(.badPeer, "\(peer) \(words)") }
}
