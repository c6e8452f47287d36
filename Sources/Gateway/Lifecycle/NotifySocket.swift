import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Tells the service manager how the gateway is: systemd's notification protocol, one datagram a message.
///
/// Without `NOTIFY_SOCKET` every call does nothing. A message that cannot be sent is not sent: the manager notices by itself.
/// Source: sd_notify(3), "Notes" and "Implementation".
package final class NotifySocket: Sendable {
    private let address: String?
    /// How often the manager wants to hear of us; nil: never.
    package let watchdogInterval: Duration?
    private let status = Mutex("")
    private let isReady = Atomic(false)

    package init(environment: [String: String]) {
        address = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        let isMeant = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
        watchdogInterval = isMeant ? environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { .microseconds($0) } : nil
    }

    package func ready() {
        isReady.store(true, ordering: .relaxed)
        send("READY=1")
    }
    /// Until `reloaded`. A start under way is not a reload.
    package func reloading() { if isReady.load(ordering: .relaxed) { send("RELOADING=1") } }
    package func reloaded() { if isReady.load(ordering: .relaxed) { send("READY=1") } }
    package func stopping() { send("STOPPING=1") }

    /// Called by the thread whose standstill is to be noticed.
    package func watchdog() { if watchdogInterval != nil { send("WATCHDOG=1") } }

    /// One line for `systemctl status`. Sent when it changes.
    package func status(_ text: String) {
        let isNew = status.withLock { last in
            defer { last = text }
            return last != text
        }
        if isNew { send("STATUS=" + text.filter { !$0.isNewline }) }
    }

    private func send(_ message: String) {
        guard let address else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard var name = socketName(address) else { return }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.utf8.count)
        _ = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                sendto(descriptor, message, message.utf8.count, Int32(MSG_NOSIGNAL), target, length)
            }
        }
    }

    /// A leading `@` means Linux's abstract names, which start with a zero byte. Nil: too long for a socket.
    private func socketName(_ text: String) -> sockaddr_un? {
        var bytes = Array(text.utf8)
        var name = sockaddr_un()
        guard bytes.count < MemoryLayout.size(ofValue: name.sun_path) else { return nil }
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        return name
    }
}
