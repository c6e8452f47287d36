import ArgumentParser
import FoundationEssentials
import Glibc

/// `gaugehouse-load`: publish, measure, verify.
@main
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gaugehouse-load",
        abstract: "Publishes telemetry of a simulated fleet over MQTT, measures, and verifies that nothing acknowledged is lost.",
        usage: """
            gaugehouse-load [--devices D] [--connections C] [--rate R] [--duration T | --count N] [options]
            gaugehouse-load --verify-ledger FILE --verify URL
            """,
        discussion: """
            Without --rate it sends flat out: a closed loop that keeps --window messages in flight on each connection. With --rate \
            it sends on schedule, whatever the broker does, and measures latency from the scheduled time.

            Exit codes: 0 all well; 1 --verify found a difference; 64 bad options; 69 broker or gateway not reachable, or lost; \
            74 ledger; 75 messages left unacknowledged; 76 the peer speaks another protocol; 77 the broker refused us.
            """)

    @Option(help: "Broker's host name or address.") var host = "127.0.0.1"
    @Option(name: .shortAndLong, help: "Broker's port.") var port: UInt16 = 1883
    @Option(name: .shortAndLong, help: "User name for the broker.") var user: String?
    @Option(help: ArgumentHelp("Password for the broker; visible to other users of the machine.", valueName: "text")) var password: String?
    @Option(help: ArgumentHelp("File whose first line is the password.", valueName: "file")) var passwordFile: String?

    @Option(name: .shortAndLong, help: "Number of devices.") var devices = 100
    @Option(name: .shortAndLong, help: "Number of MQTT connections the devices share.") var connections = 4
    @Option(help: "Threads that drive the connections.") var threads = 1
    @Option(name: .shortAndLong, help: "Messages a second of the whole fleet; without it: flat out.") var rate: Double?
    @Option(name: .shortAndLong, help: "QoS: 0 or 1.") var qos = 1
    @Option(help: "How long to send: 500ms, 30s, 5m, 1h. (default: 10s, none with --count)") var duration: TimeLength?
    @Option(name: [.customShort("n"), .long], help: "How many messages to send.") var count: Int?
    @Option(help: ArgumentHelp("Messages in flight per connection.", valueName: "messages")) var window = 200
    @Option(help: "With --rate, what falls due within a tick is sent in one burst.") var tick = TimeLength(argument: "1ms")!

    @Option(help: ArgumentHelp("Topic; {device} is replaced.", valueName: "template")) var topic = "devices/{device}/telemetry"
    @Option(help: "What device names start with. (default: load-<run>-)") var prefix: String?
    @Option(help: "Seed of the values.") var seed: UInt64 = 1
    @Option(help: ArgumentHelp("Pad payloads to this size with a string field; 0: not at all.", valueName: "bytes")) var payloadSize = 0

    @Flag(help: "Survive a lost broker: connect again and send what is unacknowledged again, with DUP.") var reconnect = false
    @Option(help: "How long to wait for the last PUBACKs.") var drain = TimeLength.seconds(10)
    @Option(help: ArgumentHelp("MQTT keep-alive; 0: off.", valueName: "seconds")) var keepAlive: UInt16 = 60

    @Option(help: ArgumentHelp("Write every acknowledged reading to this new file.", valueName: "file")) var ledger: String?
    @Option(help: ArgumentHelp("Afterwards compare acknowledged with readable at this gateway: http://host:port", valueName: "url"))
    var verify: String?
    @Option(help: ArgumentHelp("Send nothing, verify an earlier run from its ledger.", valueName: "file")) var verifyLedger: String?
    @Option(help: "Table to verify in. (default: the gateway's)") var table: String?
    @Option(help: ArgumentHelp("File with the gateway's bearer token.", valueName: "file")) var tokenFile: String?
    @Option(help: "How long to wait for missing readings while none of them appears.") var verifyPatience = TimeLength.seconds(15)

    @Flag(help: "Print the report as JSON.") var json = false

    func validate() throws {
        try check((1...10_000_000).contains(devices), "--devices must be 1 to 10000000")
        try check((1...devices).contains(connections), "--connections must be 1 to the number of devices (\(devices))")
        try check((1...64).contains(threads), "--threads must be 1 to 64")
        try check(rate.map { $0.isFinite && $0 > 0 && $0 <= 1e8 } ?? true, "--rate must be above 0")
        try check(qos == 0 || qos == 1, "--qos must be 0 or 1")
        try check(count.map { $0 > 0 } ?? true, "--count must be above 0")
        try check(duration.map { $0.nanoseconds > 0 } ?? true, "--duration must be above 0")
        try check((1...65_535).contains(window), "--window must be 1 to 65535")
        try check((100_000...1_000_000_000).contains(tick.nanoseconds), "--tick must be 0.1ms to 1s")
        try check((0...16_777_216).contains(payloadSize), "--payload-size must be 0 to 16777216")
        try check(TopicTemplate(topic) != nil, "--topic must hold {device} exactly once and no wildcard")
        try check(topic.utf8.count + (prefix ?? "").utf8.count < 60_000, "--topic and --prefix are too long")
        try check(
            !(prefix ?? "").utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") },
            "--prefix must hold no wildcard and no control character")
        try check(password == nil || passwordFile == nil, "--password and --password-file exclude one another")
        try check(user != nil || (password == nil && passwordFile == nil), "a password needs --user")
        try check(verifyLedger == nil || verify != nil, "--verify-ledger needs --verify URL")
        try check(verifyLedger == nil || ledger == nil, "--verify-ledger and --ledger exclude one another")
        try check(verify.map { HTTPClient(url: $0, token: nil) != nil } ?? true, "--verify must be http://host[:port]")
    }

    private func check(_ isGood: Bool, _ message: String) throws {
        if !isGood { throw ValidationError(message) }
    }

    func run() throws {
        Interrupt.install()
        do {
            try verifyLedger.map(verifyEarlierRun) ?? publish()
        } catch let error as LoadError {
            StandardError.write("gaugehouse-load: \(error)\n")
            throw ExitCode(error.exitCode)
        }
    }

    private func publish() throws {
        let options = try options()
        let writer = try ledger.map { path throws(LoadError) in try LedgerWriter(path: path, description: options.description) }
        var outcome: LoadRun.Outcome
        do {
            outcome = try LoadRun(options: options, ledger: writer, showsProgress: StandardError.isTerminal).run()
        } catch {
            writer?.discard()
            throw error
        }
        try writer?.append(trailer: outcome.trailer)
        if !json { print(outcome.report.text) }
        if verify != nil {
            let ledger = Ledger(
                description: options.description, acknowledged: outcome.acknowledged, trailer: outcome.trailer)
            outcome.acknowledged = []
            do {
                outcome.report.verification = try verification(of: ledger)
            } catch {
                // The run's own numbers are not lost with the gateway.
                outcome.failure = outcome.failure ?? error
            }
        }
        if json { print(LoadReport.encoded(outcome.report)) }
        if !json, let verification = outcome.report.verification { print(verification.text) }
        try finish(outcome)
    }

    private func finish(_ outcome: LoadRun.Outcome) throws {
        if let verification = outcome.report.verification, !verification.isEqual {
            if json { StandardError.write(verification.text + "\n") }
            throw ExitCode(1)
        }
        if let failure = outcome.failure { throw failure }
        if outcome.report.unacknowledged > 0 {
            StandardError.write("gaugehouse-load: \(outcome.report.unacknowledged) messages were not acknowledged within \(drain)\n")
            throw ExitCode(75)
        }
    }

    private func verifyEarlierRun(path: String) throws {
        let report = try verification(of: Ledger.read(path: path))
        print(json ? LoadReport.encoded(report) : report.text)
        if !report.isEqual { throw ExitCode(1) }
    }

    private func verification(of ledger: Ledger) throws(LoadError) -> VerificationReport {
        let token = try tokenFile.map { path throws(LoadError) in try Self.firstLine(of: path) }
        guard let verify, let client = HTTPClient(url: verify, token: token) else {
            throw LoadError(.unavailable, "no gateway to verify at")
        }
        let reader = GatewayReader(client: client, table: table)
        return try Verifier(ledger: ledger, gateway: reader, patienceNanoseconds: verifyPatience.nanoseconds).run()
    }

    private func options() throws(LoadError) -> LoadOptions {
        let startTime = Clock.epochMicroseconds()
        let run = RunDescription.runName(startTime: startTime)
        let secret = try passwordFile.map { path throws(LoadError) in try Self.firstLine(of: path) } ?? password
        return LoadOptions(
            host: host, port: port, credentials: user.map { MQTTPacket.Credentials(username: $0, password: secret) },
            description: RunDescription(
                run: run, prefix: prefix ?? "load-\(run)-", devices: devices, connections: connections, seed: seed,
                payloadSize: payloadSize,
                startTime: startTime),
            topic: TopicTemplate(topic)!, qualityOfService: qos, rate: rate,
            durationNanoseconds: duration?.nanoseconds ?? (count == nil ? TimeLength.seconds(10).nanoseconds : nil), messageCount: count,
            window: window, tickNanoseconds: tick.nanoseconds, threadCount: threads, reconnects: reconnect,
            drainNanoseconds: drain.nanoseconds, keepAliveSeconds: keepAlive, keepsAcknowledged: verify != nil)
    }

    private static func firstLine(of path: String) throws(LoadError) -> String {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw LoadError(.file, "cannot read \(path)") }
        return String(decoding: data.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    }
}
