import Glibc
import Synchronization

@testable import gaugehouse_load

/// An HTTP server that does what a test says, wrong things included: a gateway that invents, stalls or forgets.
final class StandInServer: Sendable {
    struct Request: Sendable {
        var method: String
        var target: String
        var body: String
    }

    typealias Answer = @Sendable (Request) -> (status: Int, body: String)

    let endpoint: HTTPEndpoint
    private let listener: Int32

    /// - Parameter answer: called on a thread for each connection; it may block.
    init(_ answer: @escaping Answer) {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                precondition(bind(listener, address, length) == 0 && listen(listener, 16) == 0)
                getsockname(listener, address, &length)
            }
        }
        endpoint = HTTPEndpoint(url: "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))")!
        _ = WorkerThread {
            while case let peer = accept(listener, nil, nil), peer >= 0 { _ = WorkerThread { Self.serve(peer, answer) } }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func serve(_ peer: Int32, _ answer: Answer) {
        defer { close(peer) }
        var bytes: [UInt8] = []
        while true {
            while let (request, byteCount) = request(in: bytes) {
                bytes.removeFirst(byteCount)
                let (status, body) = answer(request)
                let text = Array("HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
                guard send(peer, text, text.count, Int32(MSG_NOSIGNAL)) == text.count else { return }
            }
            var portion = [UInt8](repeating: 0, count: 64 << 10)
            let count = read(peer, &portion, portion.count)
            guard count > 0 else { return }
            bytes += portion.prefix(count)
        }
    }

    /// The first whole request and its length.
    private static func request(in bytes: [UInt8]) -> (Request, byteCount: Int)? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let headEnd = text.firstRange(of: "\r\n\r\n") else { return nil }
        let head = text[..<headEnd.lowerBound]
        let line = head.prefix { $0 != "\r\n" }.split(separator: " ")
        let length =
            head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
            .flatMap { Int($0.dropFirst("Content-Length: ".count)) } ?? 0
        let byteCount = text[..<headEnd.upperBound].utf8.count + length
        guard bytes.count >= byteCount else { return nil }
        let body = String(decoding: bytes[(byteCount - length)..<byteCount], as: UTF8.self)
        return (Request(method: String(line[0]), target: String(line[1]), body: body), byteCount)
    }
}
