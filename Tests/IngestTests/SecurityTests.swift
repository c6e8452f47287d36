import Dialects
import Foundation
import Synchronization
import Telemetry
import TelemetryStore
import Testing

@testable import Ingest

/// Who the gateway talks to, and who it is to them.
@Suite(.serialized) struct SecurityTests {
    @Test func userNamesAndPasswordsAreChecked() async throws {
        let users = try TemporaryDirectory()
        let passwords = try ChildProcess(
            try ChildProcess.path("mosquitto_passwd"), ["-c", "-b", users.file("passwords"), "gateway", "secret"])
        #expect(passwords.wait() == 0)
        let broker = try Mosquitto(extra: "allow_anonymous false\npassword_file \(users.file("passwords"))")
        let station = try Station(port: broker.port)
        station.options.username = "gateway"
        station.options.password = "wrong"
        try station.start()
        #expect(await eventually { station.statistics.lastError?.contains("Not authorized") == true })
        station.stop()
        station.options.password = "secret"
        try station.start()
        #expect(await station.isConnected())
    }

    @Test func aCertificateThatTheAuthoritySignedForTheHostIsTrusted() async throws {
        let bench = try TLSBench(serverName: "localhost")
        let station = try Station(port: bench.broker.port)
        station.options.host = "localhost"
        station.options.tls = .init(caFile: bench.keys.file("ca.pem"))
        try station.start()
        #expect(await station.isConnected())
        try bench.publish((0..<3_000).map { "{\"a\":\($0)}" })
        #expect(await eventually { station.rowCount == 3_000 })
    }

    @Test func aCertificateForAnotherHostIsNot() async throws {
        let bench = try TLSBench(serverName: "elsewhere.example")
        let station = try Station(port: bench.broker.port)
        station.options.host = "localhost"
        station.options.tls = .init(caFile: bench.keys.file("ca.pem"))
        try station.start()
        #expect(await eventually { station.statistics.lastError != nil })
        #expect(!station.statistics.isConnected)
    }

    @Test func aCertificateOfAnotherAuthorityIsNotEither() async throws {
        let (bench, other) = (try TLSBench(serverName: "localhost"), try TLSBench(serverName: "localhost"))
        for authority in [other.keys.file("ca.pem"), nil] {
            let station = try Station(port: bench.broker.port)
            station.options.host = "localhost"
            station.options.tls = .init(caFile: authority)
            try station.start()
            #expect(await eventually { station.statistics.lastError != nil })
            #expect(!station.statistics.isConnected)
        }
    }

    @Test func aBrokerThatAsksForACertificateGetsTheGateways() async throws {
        let bench = try TLSBench(serverName: "localhost", asksForCertificate: true)
        let station = try Station(port: bench.broker.port)
        station.options.host = "localhost"
        station.options.tls = .init(caFile: bench.keys.file("ca.pem"))
        try station.start()
        #expect(await eventually { station.statistics.lastError != nil })
        #expect(!station.statistics.isConnected)
        station.stop()
        station.options.tls = .init(
            caFile: bench.keys.file("ca.pem"), certificateFile: bench.keys.file("client.pem"), keyFile: bench.keys.file("client.key"))
        try station.start()
        #expect(await station.isConnected())
        try bench.publish(["{\"a\":1}"])
        #expect(await eventually { station.rowCount == 1 })
    }

    /// TLS hands over a whole record at a time: messages in that of the CONNACK are in hand before anything was asked for.
    @Test func messagesInTheRecordOfTheConnackAreNotAckedBeforeTheyAreCommitted() async throws {
        let bench = try TLSBench(serverName: "localhost")
        let (broker, port) = try await bench.scriptedBroker(messageCount: 1)
        defer {
            broker.terminate()
            broker.wait()
        }
        let station = try Station(port: port)
        station.options.host = "localhost"
        station.options.tls = .init(caFile: bench.keys.file("ca.pem"))
        station.options.commitRetry = .milliseconds(300)
        let attempts = Mutex(0)
        try station.start(commit: { (_, _) throws(StoreError) in
            attempts.withLock { $0 += 1 }
            throw StoreError(.diskFull, "full")
        })
        #expect(await eventually { attempts.withLock { $0 > 20 } })
        let said = try String(contentsOfFile: bench.keys.file("log"), encoding: .utf8)
        #expect(!said.contains("40020001"), "acked: \(said)")
        station.stop()
    }

    /// Records full of messages, each of which ends in the next record: the library would read on as long as there are any.
    @Test func aBatchHasItsLimitWithTLSToo() async throws {
        let bench = try TLSBench(serverName: "localhost")
        let (broker, port) = try await bench.scriptedBroker(messageCount: 600, payload: "b'1\\n' * 100")
        defer {
            broker.terminate()
            broker.wait()
        }
        let station = try Station(port: port)
        station.options.host = "localhost"
        station.options.tls = .init(caFile: bench.keys.file("ca.pem"))
        station.subscription.dialect = DialectOptions(format: .csv)
        station.subscription.dialect.columns = ["a"]
        // All of it is there when the second batch is read.
        let commits = Mutex(0)
        let commit = CommitPath(station.store).commit
        try station.start(commit: { (batch, notes) throws(StoreError) in
            let count = commits.withLock { count in
                count += 1
                return count
            }
            if count == 1 { usleep(500_000) }
            // As after anything that set it: what is left there by an earlier read must not be what ends the library's loop.
            errno = 0
            return try commit(&batch, notes)
        })
        #expect(await eventually { station.statistics.messages == 600 })
        #expect(station.statistics.largestBatch <= MessageIntake.rowLimit / 100 + 1, "\(station.statistics.largestBatch) messages")
        #expect(station.rowCount == 60_000 && station.statistics.reconnects == 0)
    }
}

/// An authority of its own, certificates that it signed, and a broker with a TLS listener and a plain one to publish at.
private struct TLSBench {
    let keys: TemporaryDirectory
    let broker: Mosquitto
    private let plainPort: Int

    init(serverName: String, asksForCertificate: Bool = false) throws {
        keys = try TemporaryDirectory()
        plainPort = try TestSocket.freePort()
        try openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority", "-keyout", keys.file("ca.key"),
            "-out",
            keys.file("ca.pem"))
        try sign("server", name: serverName, keys)
        try sign("client", name: "gateway", keys)
        var lines = "cafile \(keys.file("ca.pem"))\nkeyfile \(keys.file("server.key"))\ncertfile \(keys.file("server.pem"))\n"
        if asksForCertificate { lines += "require_certificate true\n" }
        broker = try Mosquitto(extra: lines + "listener \(plainPort) 127.0.0.1", listener: "listener PORT 127.0.0.1")
    }

    /// Says CONNACK and sends messages in the same breath; logs what it gets.
    /// - Parameter payload: in Python.
    func scriptedBroker(messageCount: Int, payload: String = #"b'{"a":1}'"#) async throws -> (ChildProcess, port: Int) {
        let port = try TestSocket.freePort()
        let script = """
            import socket, ssl
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain('\(keys.file("server.pem"))', '\(keys.file("server.key"))')
            server = socket.create_server(('127.0.0.1', \(port)))
            topic, log = b'devices/d/telemetry', open('\(keys.file("log"))', 'a', buffering=1)
            head = bytes([0, len(topic)]) + topic
            bodies = [head + i.to_bytes(2, 'big') + b'\\0' + \(payload) for i in range(1, \(messageCount) + 1)]
            said = bytes([0x20, 3, 1, 0, 0]) + b''.join(bytes([0x32, len(body) & 127 | 128, len(body) >> 7]) + body for body in bodies)
            while True:
                try:
                    wire = context.wrap_socket(server.accept()[0], server_side=True)
                    wire.recv(1000)
                    wire.sendall(said)
                    while data := wire.recv(1000):
                        log.write(data.hex() + '\\n')
                except OSError:
                    pass
            """
        try script.write(toFile: keys.file("broker.py"), atomically: true, encoding: .utf8)
        let broker = try ChildProcess(try ChildProcess.path("python3"), [keys.file("broker.py")])
        #expect(await eventually { TestSocket.accepts(port: port) })
        return (broker, port)
    }

    func publish(_ payloads: [String]) throws {
        try broker.publish(payloads, topic: "devices/d/telemetry", options: ["-p", "\(plainPort)"])
    }
}

private func sign(_ file: String, name: String, _ keys: TemporaryDirectory) throws {
    try "subjectAltName=DNS:\(name)".write(toFile: keys.file("extensions"), atomically: true, encoding: .utf8)
    try openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=\(name)", "-keyout", keys.file("\(file).key"), "-out",
        keys.file("\(file).csr"))
    try openssl(
        "x509", "-req", "-in", keys.file("\(file).csr"), "-CA", keys.file("ca.pem"), "-CAkey", keys.file("ca.key"), "-CAcreateserial",
        "-days", "2", "-extfile", keys.file("extensions"), "-out", keys.file("\(file).pem"))
}

private func openssl(_ arguments: String...) throws {
    let status = try ChildProcess(try ChildProcess.path("openssl"), arguments).wait()
    try #require(status == 0, "openssl \(arguments[0])")
}
