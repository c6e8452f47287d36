import Foundation
import Gateway

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One event of the live tail.
struct LiveEvent: Equatable {
    var name = ""
    var id: String?
    var data = ""
}

/// Puts events together from bytes as they come.
/// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
struct EventParser {
    private var line: [UInt8] = []
    private var event = LiveEvent()

    mutating func parse(_ bytes: some Sequence<UInt8>) -> [LiveEvent] {
        var events: [LiveEvent] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            if let complete = endLine() { events.append(complete) }
        }
        return events
    }

    private mutating func endLine() -> LiveEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard !line.isEmpty else {
            defer { event = LiveEvent() }
            return event.data.isEmpty ? nil : event
        }
        let text = String(decoding: line, as: UTF8.self)
        let name = text.prefix { $0 != ":" }
        let value = text.dropFirst(name.count + 1)
        let trimmed = String(value.hasPrefix(" ") ? value.dropFirst() : value)
        switch name {
        case "event": event.name = trimmed
        case "id": event.id = trimmed
        case "data": event.data += event.data.isEmpty ? trimmed : "\n" + trimmed
        default: break
        }
        return nil
    }
}

/// The answer to one request for events, as it comes in.
final class EventStream: NSObject, URLSessionDataDelegate, Sendable {
    enum Part: Sendable {
        case head(status: Int)
        case bytes(Data)
    }

    /// Bytes that came before the server's part ended; finishes when the connection does.
    let parts: AsyncThrowingStream<Part, any Error>
    private let source: AsyncThrowingStream<Part, any Error>.Continuation

    /// Silence after which the connection counts as dead: the server says something each second.
    private static let silenceSeconds = 20.0

    override init() {
        (parts, source) = AsyncThrowingStream.makeStream()
        super.init()
    }

    func start(_ request: URLRequest) {
        var request = request
        request.timeoutInterval = Self.silenceSeconds
        let session = URLSession(configuration: .ephemeral, delegate: self, delegateQueue: nil)
        session.dataTask(with: request).resume()
        // What is under way goes on until it ends.
        session.finishTasksAndInvalidate()
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        source.yield(.head(status: (response as? HTTPURLResponse)?.statusCode ?? 0))
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) { source.yield(.bytes(data)) }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        source.finish(throwing: error)
    }
}
