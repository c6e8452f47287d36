import ArgumentParser

struct BrokerFlags: ParsableArguments {
    @Option(help: "Broker's host name or address. No TLS: see the README.") var host = "127.0.0.1"
    @Option(name: .shortAndLong, help: "Broker's port.") var port: UInt16 = 1883
    @Option(name: .shortAndLong, help: "User name for the broker.") var user: String?
    @Option(help: ArgumentHelp("Password for the broker; visible to other users of the machine.", valueName: "text")) var password: String?
    @Option(help: ArgumentHelp("File whose first line is the password.", valueName: "file")) var passwordFile: String?
    @Option(name: .shortAndLong, help: "QoS: 0 or 1.") var qos = 1
    @Option(help: ArgumentHelp("Messages in flight per connection.", valueName: "messages")) var window = 200
    @Option(help: ArgumentHelp("MQTT keep-alive; 0: off.", valueName: "seconds")) var keepAlive: UInt16 = 60
    @Flag(help: "Survive a lost broker: connect again and send what is unacknowledged again, with DUP.") var reconnect = false
    @Option(help: ArgumentHelp("Break all connections at once, this often; implies --reconnect.", valueName: "time"))
    var reconnectStorm: TimeLength?
    @Option(help: "How long to wait for the last PUBACKs.") var drain = TimeLength.seconds(10)
}

struct TargetFlags: ParsableArguments {
    @Option(help: "Where readings go.") var target = Target.mqtt
    @Option(help: ArgumentHelp("HTTP target's address: http://host:port", valueName: "url")) var url: String?
    @Option(help: ArgumentHelp("HTTP: messages in one request at most.", valueName: "messages")) var batch = 1_000
    @Option(help: "HTTP to Gaugehouse: the form of the body.") var writeFormat = WriteFormat.lineProtocol
    @Option(help: "InfluxDB: created if it is not there.") var database = "gaugehouse_load"
}

struct FleetFlags: ParsableArguments {
    @Option(name: .shortAndLong, help: "Number of devices.") var devices = 100
    @Option(name: .shortAndLong, help: "Number of connections the devices share.") var connections = 4
    @Option(help: "Threads that drive the connections.") var threads = 1
    @Option(help: "What device names start with. (default: load-<run>-)") var prefix: String?
    @Option(help: "Seed of the values, faults and Poisson arrivals.") var seed: UInt64 = 1
}

struct ScheduleFlags: ParsableArguments {
    @Option(name: .shortAndLong, help: "Messages a second of the whole fleet; without it: flat out.") var rate: Double?
    @Option(help: "Readings a second of the whole fleet, instead of --rate.") var readingRate: Double?
    @Option(help: "The rate rises (or falls) in a straight line to this many messages a second during --duration.") var rateTo: Double?
    @Flag(help: "Messages are due at random, as of many independent devices; --rate is the mean.") var poisson = false
    @Option(help: ArgumentHelp("So many messages at once, every interval: 5000@10s", valueName: "n@time")) var burst: Burst?
    @Option(help: "How long to measure: 500ms, 30s, 5m, 1h. (default: 10s, none with --count)") var duration: TimeLength?
    @Option(name: [.customShort("n"), .long], help: "How many messages to send.") var count: Int?
    @Option(help: ArgumentHelp("Before --duration, not measured: the rate rises from nothing. Flat out: warm-up.", valueName: "time"))
    var rampUp: TimeLength?
    @Option(help: ArgumentHelp("After --duration, not measured: the rate falls to nothing.", valueName: "time")) var rampDown: TimeLength?
    @Option(help: "With --rate, what falls due within a tick is sent in one burst.") var tick = TimeLength(argument: "1ms")!
}

struct PayloadFlags: ParsableArguments {
    @Option(help: "What the devices speak.") var dialect = Dialect.json
    @Option(help: ArgumentHelp("Payload with {{placeholders}}, see the README.", valueName: "file")) var template: String?
    @Option(help: ArgumentHelp("{device} and {connection} are replaced. (default: the dialect's)", valueName: "template")) var topic:
        String?
    @Option(help: ArgumentHelp("Readings in one message, 1 to 10000.", valueName: "n")) var readingsPerMessage = 1
    @Option(help: ArgumentHelp("Pad JSON payloads to this size with a string field; 0: not at all.", valueName: "bytes")) var payloadSize =
        0
    @Option(help: ArgumentHelp("Share of messages whose readings are --late-by old, 0 to 1.", valueName: "share")) var lateFraction = 0.0
    @Option(help: ArgumentHelp("How old late readings are.", valueName: "time")) var lateBy = TimeLength.seconds(60)
    @Option(help: ArgumentHelp("Share of messages that are published twice, 0 to 1.", valueName: "share")) var duplicateFraction = 0.0
    @Option(help: ArgumentHelp("Share of messages that nobody can decode, 0 to 1.", valueName: "share")) var badFraction = 0.0
}

struct GatewayFlags: ParsableArguments {
    @Option(help: ArgumentHelp("Write every acknowledged reading to this new file.", valueName: "file")) var ledger: String?
    @Option(help: ArgumentHelp("Afterwards compare acknowledged with readable at this gateway: http://host:port", valueName: "url"))
    var verify: String?
    @Option(help: ArgumentHelp("Send nothing, verify an earlier run from its ledger.", valueName: "file")) var verifyLedger: String?
    @Option(help: "How long to wait for missing readings while none of them appears.") var verifyPatience = TimeLength.seconds(15)
    @Option(help: ArgumentHelp("During the run, measure to durable and to queryable at this gateway.", valueName: "url")) var probe: String?
    @Option(help: ArgumentHelp("Probes a second, of each kind.", valueName: "rate")) var probeRate = 10.0
    @Option(help: ArgumentHelp("Time between two questions for a probe: the resolution.", valueName: "time"))
    var probePoll = TimeLength(argument: "1ms")!
    @Option(help: "Table to write to over HTTP, to probe and to verify in. (default: the gateway's)") var table: String?
    @Option(help: ArgumentHelp("File with the gateway's bearer token.", valueName: "file")) var tokenFile: String?
}

struct ReportFlags: ParsableArguments {
    @Flag(help: "Print the report as JSON.") var json = false
    @Option(help: ArgumentHelp("Write the report as JSON to this file.", valueName: "file")) var jsonFile: String?
    @Option(help: ArgumentHelp("Write the report with plots to this file, one page without anything external.", valueName: "file"))
    var html: String?
    @Option(help: ArgumentHelp("Read options from a file of 'name = value' lines; the command line wins.", valueName: "file"))
    var scenario: String?
}

extension Burst: ExpressibleByArgument {
    init?(argument: String) {
        let pieces = argument.split(separator: "@", omittingEmptySubsequences: false)
        guard pieces.count == 2, let count = Int(pieces[0]), (1...10_000_000).contains(count),
            let interval = TimeLength(argument: String(pieces[1])), interval.nanoseconds > 0
        else { return nil }
        self.init(count: count, intervalNanoseconds: interval.nanoseconds, text: argument)
    }
}
