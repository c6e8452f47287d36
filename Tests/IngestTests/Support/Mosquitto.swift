import Foundation

/// A real mosquitto on a free loopback port, with its state in a directory of the test.
final class Mosquitto {
    struct DidNotStart: Error {}

    /// Debian's; access rules that may name filters.
    private static let accessPlugin = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"

    let port: Int
    private let directory: TemporaryDirectory
    private let configuration: String
    private var process: ChildProcess?

    /// - Parameter extra: further lines of its configuration; `PORT` and `DIR` are filled in.
    /// - Parameter acl: content of the file `DIR/acl`.
    init(extra: String = "", acl: String = "", listener: String = "listener PORT 127.0.0.1") throws {
        directory = try TemporaryDirectory()
        port = try TestSocket.freePort()
        configuration = directory.file("mosquitto.conf")
        let text = """
            user root
            \(listener)
            allow_anonymous true
            persistence true
            persistence_location DIR/
            max_inflight_messages 10000
            max_queued_messages 1000000
            set_tcp_nodelay true
            log_type error
            \(extra)
            """
        try text.replacingOccurrences(of: "PORT", with: "\(port)").replacingOccurrences(of: "DIR", with: directory.path)
            .write(toFile: configuration, atomically: true, encoding: .utf8)
        try acl.write(toFile: directory.file("acl"), atomically: true, encoding: .utf8)
        try start()
    }

    /// Grants everything but the subscription to one filter, until `grant`.
    convenience init(refusing filter: String) throws {
        let rules = """
            {"defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true, "subscribe": true, "unsubscribe": true},
             "clients": [], "groups": [{"groupname": "all", "roles": [{"rolename": "some"}]}], "anonymousGroup": "all",
             "roles": [{"rolename": "some", "acls": [
              {"acltype": "publishClientSend", "topic": "$CONTROL/#", "priority": 0, "allow": true},
              {"acltype": "subscribeLiteral", "topic": "\(filter)", "priority": 0, "allow": false}]}]}
            """
        try self.init(extra: "plugin \(Self.accessPlugin)\nplugin_opt_config_file DIR/acl", acl: rules)
    }

    func grant(_ filter: String) throws {
        let command = """
            {"commands": [{"command": "removeRoleACL", "rolename": "some", "acltype": "subscribeLiteral", "topic": "\(filter)"}]}
            """
        try publish([command], topic: "$CONTROL/dynamic-security/v1")
    }

    deinit { stop() }

    func start() throws {
        process = try ChildProcess(try ChildProcess.path("mosquitto"), ["-c", configuration])
        for _ in 0..<500 {
            if TestSocket.accepts(port: port) { return }
            usleep(10_000)
        }
        throw DidNotStart()
    }

    /// Orderly: sessions and queued messages are saved.
    func stop() {
        guard let process else { return }
        process.terminate()
        process.wait()
        self.process = nil
    }

    /// Publishes each payload; returns when the broker has acked them all.
    func publish(_ payloads: [String], topic: String, qos: Int = 1, options: [String] = []) throws {
        let input = directory.file("published")
        try payloads.map { $0 + "\n" }.joined().write(toFile: input, atomically: true, encoding: .utf8)
        let arguments = ["-p", "\(port)", "-q", "\(qos)", "-t", topic] + (payloads.isEmpty ? [] : ["-l"]) + options
        let publisher = try ChildProcess(try ChildProcess.path("mosquitto_pub"), arguments, input: input)
        guard publisher.wait() == 0 else { throw DidNotStart() }
    }
}
