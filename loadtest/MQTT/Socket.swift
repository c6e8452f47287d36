import Glibc

/// One TCP connection; closed when the last reference goes. Used by one thread at a time.
final class Socket {
    enum Progress: Equatable {
        case bytes(Int)
        /// Non-blocking only: nothing to read, or no room to write.
        case wouldBlock
        case endOfStream
    }

    let descriptor: Int32
    private let peer: String

    private init(descriptor: Int32, peer: String) {
        self.descriptor = descriptor
        self.peer = peer
    }

    deinit { close(descriptor) }

    /// Connects to the first address of a host that answers. Blocking; reads and writes wait at most `timeoutSeconds` afterwards.
    /// - Throws: `.unavailable` with the system's reason.
    static func connect(host: String, port: UInt16, timeoutSeconds: Int) throws(LoadError) -> Socket {
        let peer = "\(host):\(port)"
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else { throw LoadError(.unavailable, "cannot resolve \(host): \(String(cString: gai_strerror(status)))") }
        defer { freeaddrinfo(list) }
        var reason = "no address"
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            let descriptor = socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), address.ai_protocol)
            guard descriptor >= 0 else {
                reason = errorText(errno)
                continue
            }
            let connection = Socket(descriptor: descriptor, peer: peer)
            // Linux bounds connect(2) by the send timeout too.
            connection.setTimeouts(seconds: timeoutSeconds)
            connection.setOption(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return connection }
            reason = errno == EINPROGRESS ? "no answer for \(timeoutSeconds) s" : errorText(errno)
        }
        throw LoadError(.unavailable, "cannot connect to \(peer): \(reason)")
    }

    func setNonBlocking() {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    /// poll(2) reports the socket readable only from this many bytes on.
    func setReceiveLowWater(_ byteCount: Int) {
        setOption(SOL_SOCKET, SO_RCVLOWAT, Int32(byteCount))
    }

    /// - Throws: `.unavailable` when the connection broke.
    func readSome(into buffer: UnsafeMutableRawBufferPointer) throws(LoadError) -> Progress {
        while true {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .endOfStream }
            if errno == EINTR { continue }
            if errno == EAGAIN { return .wouldBlock }
            throw LoadError(.unavailable, "lost \(peer): \(Self.errorText(errno))")
        }
    }

    /// - Throws: `.unavailable` when the connection broke.
    func writeSome(from buffer: UnsafeRawBufferPointer) throws(LoadError) -> Progress {
        while true {
            let count = write(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            if errno == EAGAIN { return .wouldBlock }
            throw LoadError(.unavailable, "lost \(peer): \(Self.errorText(errno))")
        }
    }

    /// Writes `bytes` from `head` on, which moves along, until all is gone or the socket is full.
    func writeRest(of bytes: [UInt8], from head: inout Int) throws(LoadError) {
        while head < bytes.count {
            let start = head
            let progress = try bytes.withUnsafeBufferPointer { (all) throws(LoadError) in
                try writeSome(from: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[start...])))
            }
            guard case .bytes(let count) = progress else { return }
            head += count
        }
    }

    /// Blocking sockets only.
    func writeAll(_ bytes: [UInt8]) throws(LoadError) {
        var head = 0
        try writeRest(of: bytes, from: &head)
        guard head == bytes.count else { throw LoadError(.unavailable, "\(peer) takes no data") }
    }

    private func setTimeouts(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
    }

    private func setOption(_ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    static func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
}
