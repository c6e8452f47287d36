import HTTPTypes
import Hummingbird
import Logging
import NIOCore
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
    /// At most two pieces are in memory: the next is made when the connection has taken the one before, and none for a client that is gone.
    /// - Parameter whenWhole: adds the headers that only an answer of one piece can have, since they need all of it.
    func response<Source: PieceSource>(
        _ source: Source, contentType: String, headers: HTTPFields = [:], for request: APIRequest,
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
            // Nil in a test without a connection.
            let peer = try? await request.channel.pipeline.handler(type: PeerWatch.self).get()
            var piece = first
            while true {
                // A piece may be empty when much was looked at and nothing found, and the pieces of a HEAD go nowhere.
                if peer?.isGone ?? false { throw CancellationError() }
                if !piece.bytes.isEmpty { try await writer.write(ByteBuffer(bytes: piece.bytes)) }
                guard piece.hasMore else { break }
                piece = try await self.following(piece, logger: request.logger)
            }
            try await writer.finish(piece.source.headerToken.map { [.nextPageToken: $0] })
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// The client can no longer be told of an error: the log is.
    private func following<Source>(_ piece: Piece<Source>, logger: Logger) async throws -> Piece<Source> {
        do {
            return try await goOn { try piece.next() }
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
        // A stream of events has no length.
        guard headers[.contentLength] == nil, headers[.contentType] != API.eventStream else { return createHeadResponse() }
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
