import HTTPTypes
import Hummingbird
import Logging
import Synchronization

/// An answer made piece by piece, so that a hundred thousand rows never lie in memory together.
protocol PieceSource: Sendable {
    /// Appends the next piece. Blocking; called on a reader thread.
    ///
    /// - Returns: true when more pieces follow.
    mutating func next(_ json: inout JSONWriter) throws -> Bool

    /// Set after the last piece when the format has no place in the body for it.
    var headerToken: String? { get }
}

extension PieceSource {
    var headerToken: String? { nil }
}

private struct Piece<Source: PieceSource>: Sendable {
    var source: Source
    var json: JSONWriter
    var bytes: [UInt8] = []
    var hasMore = true

    /// The next piece.
    func next() throws -> Piece {
        var piece = self
        piece.hasMore = try piece.source.next(&piece.json)
        piece.bytes = piece.json.takeBytes()
        return piece
    }
}

extension BlockingPool {
    /// Answers with what `source` gives. The first piece is made before the head goes out: its errors are still a proper problem.
    ///
    /// An error further on cuts the connection before the end mark, so that no client takes the part for the whole.
    ///
    /// - Parameter whenWhole: adds the headers that only an answer of one piece can have, since they need all of it.
    func response<Source: PieceSource>(
        _ source: Source, contentType: String, headers: HTTPFields = [:], logger: Logger,
        whenWhole: (Source, inout HTTPFields) -> Void = { _, _ in }
    ) async throws -> Response {
        let start = Piece(source: source, json: JSONWriter())
        let first = try await perform { try start.next() }
        var headers = headers
        headers[.contentType] = contentType
        guard first.hasMore else {
            headers[.nextPageToken] = first.source.headerToken
            whenWhole(first.source, &headers)
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: first.bytes)))
        }
        let body = ResponseBody { writer in
            var piece = first
            try await writer.write(ByteBuffer(bytes: piece.bytes))
            while piece.hasMore {
                piece = try await self.following(piece, logger: logger)
                try await writer.write(ByteBuffer(bytes: piece.bytes))
            }
            try await writer.finish(piece.source.headerToken.map { [.nextPageToken: $0] })
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// The client can no longer be told of an error: the log is.
    private func following<Source>(_ piece: Piece<Source>, logger: Logger) async throws -> Piece<Source> {
        do {
            return try await perform { try piece.next() }
        } catch {
            logger.error("answer cut short: \(error)")
            throw error
        }
    }
}

extension Response {
    /// The answer to HEAD: the same headers. A streamed body is made once to learn its length, because a head without a length
    /// would be sent as chunked.
    func withoutBody() async throws -> Response {
        guard headers[.contentLength] == nil else { return createHeadResponse() }
        let counter = ByteCounter()
        try await body.write(counter)
        var head = createHeadResponse()
        head.headers[.contentLength] = String(counter.count.load(ordering: .relaxed))
        return head
    }
}

private final class ByteCounter: ResponseBodyWriter, Sendable {
    let count = Atomic<Int>(0)

    func write(_ buffer: ByteBuffer) async throws { count.wrappingAdd(buffer.readableBytes, ordering: .relaxed) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
