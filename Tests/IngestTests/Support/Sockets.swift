import Glibc

/// A loopback TCP listener and its connections, as plain as they come.
struct TestSocket {
    struct Failure: Error {}

    let descriptor: Int32

    /// Listens on a free port of the loopback interface.
    static func listening() throws -> (socket: TestSocket, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0 && listen(descriptor, 8) == 0
            }
        }
        guard isListening else { throw Failure() }
        return (TestSocket(descriptor: descriptor), Int(UInt16(bigEndian: address.sin_port)))
    }

    static func freePort() throws -> Int {
        let (socket, port) = try listening()
        socket.close()
        return port
    }

    static func accepts(port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { _ = Glibc.close(descriptor) }
        var address = loopback(port: port)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    func accept() -> TestSocket? {
        let connection = Glibc.accept(descriptor, nil, nil)
        return connection < 0 ? nil : TestSocket(descriptor: connection)
    }

    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// What has arrived when the first bytes do; empty at the end, nil after `timeout`.
    func receive(timeout milliseconds: Int32) -> [UInt8]? {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&state, 1, milliseconds) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        return Array(buffer[..<max(0, recv(descriptor, &buffer, buffer.count, 0))])
    }

    func close() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        _ = Glibc.close(descriptor)
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
