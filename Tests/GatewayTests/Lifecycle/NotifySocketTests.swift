import Foundation
import Testing

@testable import Gateway

@Suite struct NotifySocketTests {
    /// A service manager's end of the socket.
    private final class Manager {
        let path = "/tmp/notify-\(UUID().uuidString)"
        private let descriptor: Int32

        init() throws {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
            let result = withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
            }
            try #require(result == 0)
        }

        deinit {
            close(descriptor)
            unlink(path)
        }

        /// Everything received so far.
        func messages() -> [String] {
            var found: [String] = []
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                guard count > 0 else { return found }
                found.append(String(decoding: buffer[..<count], as: UTF8.self))
            }
        }
    }

    @Test func theManagerHearsOfEveryStep() throws {
        let manager = try Manager()
        let socket = NotifySocket(environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "30000000"])
        socket.ready()
        socket.status("connected")
        socket.status("connected")
        socket.status("two\nlines")
        socket.watchdog()
        socket.stopping()
        #expect(manager.messages() == ["READY=1", "STATUS=connected", "STATUS=twolines", "WATCHDOG=1", "STOPPING=1"])
        #expect(socket.watchdogInterval == .seconds(30))
    }

    @Test func theWatchdogIsPingedOnlyWhenAskedFor() throws {
        let manager = try Manager()
        NotifySocket(environment: ["NOTIFY_SOCKET": manager.path]).watchdog()
        NotifySocket(environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"]).watchdog()
        #expect(manager.messages().isEmpty)
    }

    @Test func withoutAManagerNothingHappens() {
        NotifySocket(environment: [:]).ready()
        NotifySocket(environment: ["NOTIFY_SOCKET": "/nowhere/socket"]).ready()
        NotifySocket(environment: ["NOTIFY_SOCKET": String(repeating: "a", count: 500)]).ready()
    }
}
