import Foundation
import NIOCore

/// A socket of its own: what it does not read, the server keeps.
struct SlowClient: Sendable {
    struct Failure: Error { let code: Int32 }

    private let socket: Int32

    /// - Parameters:
    ///   - bufferByteCount: that come unread.
    ///   - segmentByteCount: that the server may send at once; nil: what loopback takes.
    init(port: Int, bufferByteCount: Int32, segmentByteCount: Int32?) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var bufferByteCount = bufferByteCount
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bufferByteCount, 4)
        if var segmentByteCount { setsockopt(socket, Int32(IPPROTO_TCP), TCP_MAXSEG, &segmentByteCount, 4) }
        let connection = socket
        try SocketAddress(ipAddress: "127.0.0.1", port: port).withSockAddr { address, byteCount in
            guard connect(connection, address, socklen_t(byteCount)) == 0 else { throw Failure(code: errno) }
        }
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    func ask(_ path: String, times: Int) throws {
        let request = String(repeating: "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n", count: times)
        guard write(socket, request, request.utf8.count) == request.utf8.count else { throw Failure(code: errno) }
    }

    /// Says that it asks no more; it still reads.
    func endAsking() throws {
        guard shutdown(socket, Int32(SHUT_WR)) == 0 else { throw Failure(code: errno) }
    }

    /// All that comes until the other side closes, or sends nothing for a second.
    func readToEnd() async -> [UInt8] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [socket] in
                var (all, bytes) = ([UInt8](), [UInt8](repeating: 0, count: 4_096))
                while case let count = Glibc.read(socket, &bytes, bytes.count), count > 0 { all += bytes[..<count] }
                continuation.resume(returning: all)
            }
        }
    }

    /// Reads on a thread of its own: other tests must not make it slower than it is meant to be, nor it them.
    ///
    /// - Parameter count: bytes at once, at most.
    /// - Returns: all that came.
    @discardableResult func read(_ count: Int, times: Int, pause: Duration) async -> Int {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [socket] in
                var (bytes, sum) = ([UInt8](repeating: 0, count: count), 0)
                for _ in 0..<times {
                    // -1: nothing came in time, or the connection was reset.
                    sum += max(0, Glibc.read(socket, &bytes, count))
                    usleep(UInt32(pause / .microseconds(1)))
                }
                continuation.resume(returning: sum)
            }
        }
    }

    func close() { _ = Glibc.close(socket) }
}
