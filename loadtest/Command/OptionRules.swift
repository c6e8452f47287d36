import ArgumentParser

/// Which flags are good, and which go together. Every error names the flag and what it takes.
struct OptionRules {
    let command: LoadCommand

    /// Ten years, in ns: later readings would lie before the epoch.
    private static let longestLateness: UInt64 = 87_600 * 3_600 * 1_000_000_000

    private var dialect: Dialect { OptionsBuilder.dialect(command) }

    func check() throws {
        try checkFleet()
        try checkBroker()
        try checkSchedule()
        try checkPayload()
        try checkTarget()
        try checkGateway()
    }

    private func require(_ isGood: Bool, _ message: String) throws {
        if !isGood { throw ValidationError(message) }
    }

    private func checkFleet() throws {
        let fleet = command.fleet
        try require((1...10_000_000).contains(fleet.devices), "--devices must be 1 to 10000000")
        try require(
            (1...fleet.devices).contains(fleet.connections), "--connections must be 1 to the number of devices (\(fleet.devices))")
        try require((1...64).contains(fleet.threads), "--threads must be 1 to 64")
        try require(
            !(fleet.prefix ?? "").utf8.contains { $0 <= 0x20 || "+#/\"\\,=".utf8.contains($0) },
            "--prefix must hold no space or control character and none of + # / \" \\ , =")
    }

    private func checkBroker() throws {
        let broker = command.broker
        try require(
            !broker.host.contains("://"),
            "--host is a host name or address, without a scheme. TLS and websockets are not supported: put a tunnel in front (README)")
        try require(!broker.host.isEmpty && broker.port > 0, "--host and --port must name a broker")
        try require(broker.qos == 0 || broker.qos == 1, "--qos must be 0 or 1")
        try require((1...65_535).contains(broker.window), "--window must be 1 to 65535")
        try require(broker.password == nil || broker.passwordFile == nil, "--password and --password-file exclude one another")
        try require(broker.user != nil || (broker.password == nil && broker.passwordFile == nil), "a password needs --user")
        try require(broker.reconnectStorm.map { $0.nanoseconds >= 100_000_000 } ?? true, "--reconnect-storm must be 100ms or more")
    }

    private func checkSchedule() throws {
        let schedule = command.schedule
        for (name, rate) in [("--rate", schedule.rate), ("--reading-rate", schedule.readingRate), ("--rate-to", schedule.rateTo)] {
            try require(rate.map { $0.isFinite && $0 > 0 && $0 <= 1e8 } ?? true, "\(name) must be above 0, and 1e8 at most")
        }
        let isPaced = schedule.rate != nil || schedule.readingRate != nil
        try require(schedule.rate == nil || schedule.readingRate == nil, "--rate and --reading-rate exclude one another")
        try require(schedule.burst == nil || !isPaced, "--burst has its own rate: leave --rate and --reading-rate out")
        try require(!schedule.poisson || isPaced, "--poisson needs --rate or --reading-rate")
        try require(schedule.rateTo == nil || isPaced, "--rate-to needs --rate, where it starts")
        try require(schedule.rateTo == nil || schedule.count == nil, "--rate-to needs a --duration, not a --count")
        try require(schedule.count.map { $0 > 0 } ?? true, "--count must be above 0")
        try require(schedule.duration.map { $0.nanoseconds > 0 } ?? true, "--duration must be above 0")
        try require((100_000...1_000_000_000).contains(schedule.tick.nanoseconds), "--tick must be 0.1ms to 1s")
        try require(schedule.burst == nil || (schedule.rampUp == nil && schedule.rampDown == nil), "--burst knows no ramps")
        try require(schedule.rampDown == nil || schedule.count == nil, "--ramp-down needs a --duration, not a --count")
        let total = OptionsBuilder.plan(command).totalNanoseconds ?? 0
        try require(total <= 7 * 86_400 * 1_000_000_000, "a run must not be longer than 7 days")
    }

    private func checkPayload() throws {
        let payload = command.payload
        try require((1...10_000).contains(payload.readingsPerMessage), "--readings-per-message must be 1 to 10000")
        try require((0...16_777_216).contains(payload.payloadSize), "--payload-size must be 0 to 16777216")
        try require(payload.payloadSize == 0 || (dialect == .json && payload.template == nil), "--payload-size needs --dialect json")
        let several = payload.readingsPerMessage > 1
        try require(!several || payload.template == nil, "a --template is one reading: leave --readings-per-message out")
        try require(
            !several || dialect.allowsSeveralReadings,
            "devices that speak \(dialect.rawValue) send one reading a message: leave "
                + "--readings-per-message out")
        for (name, share) in [
            ("--late-fraction", payload.lateFraction), ("--duplicate-fraction", payload.duplicateFraction),
            ("--bad-fraction", payload.badFraction),
        ] { try require((0...1).contains(share), "\(name) must be 0 to 1") }
        try require(
            payload.lateFraction == 0 || (1_000_000_000...Self.longestLateness).contains(payload.lateBy.nanoseconds),
            "--late-by must be 1s to 87600h")
        let isTimed = payload.template != nil || dialect.isTimed
        try require(
            isTimed || (payload.lateFraction == 0 && payload.duplicateFraction == 0),
            "payloads of \(dialect.rawValue) carry no time, so none can be late, and a second copy is a second reading: leave "
                + "--late-fraction and --duplicate-fraction out")
        try checkTopic()
        try checkPace()
    }

    private func checkTopic() throws {
        let payload = command.payload
        let text = payload.topic ?? dialect.topic
        guard let topic = TopicTemplate(text) else {
            throw ValidationError("--topic must hold {device} once at most, and no wildcard")
        }
        try require(
            payload.topic == nil || payload.template != nil || !dialect.hasFixedTopic,
            "the topics of \(dialect.rawValue) are part of its specification: leave --topic out")
        try require(
            topic.hasDevice || payload.template != nil || dialect.namesDevice,
            "--topic must hold {device}: payloads of \(dialect.rawValue) do not name their device")
        try require(text.utf8.count + (command.fleet.prefix ?? "").utf8.count < 60_000, "--topic and --prefix are too long")
    }

    /// Times of coarse dialects would run ahead of the clock on devices that send too often.
    private func checkPace() throws {
        let plan = OptionsBuilder.plan(command)
        guard command.payload.template == nil, let rate = [plan.rate, plan.endRate].compactMap(\.self).max() else { return }
        let grain = Double(dialect.granularity) / 1e6 * (command.payload.lateFraction > 0 ? 2 : 1)
        let perDevice = rate * Double(command.payload.readingsPerMessage) / Double(command.fleet.devices)
        let step = "\(Text.decimal(grain * 1_000, digits: 3)) ms"
        let needed = Text.decimal((rate * Double(command.payload.readingsPerMessage) * grain).rounded(.up), digits: 0)
        try require(
            perDevice * grain <= 1,
            "times of \(dialect.rawValue) go in steps of \(step), too long for \(Text.decimal(perDevice, digits: 0)) readings a second of "
                + "one device: take at least --devices \(needed)")
    }

    private func checkTarget() throws {
        let target = command.target
        guard target.target != .mqtt else {
            return try require(target.url == nil, "--url needs --target; --host and --port name the broker")
        }
        try require(target.url != nil, "--target \(target.target.rawValue) needs --url http://host:port")
        try requireAddress(target.url, "--url")
        try require((1...1_000_000).contains(target.batch), "--batch must be 1 to 1000000")
        try require(
            target.writeFormat == .lineProtocol || target.target == .gaugehouseHTTP, "--write-format is for --target gaugehouse-http")
        let payload = command.payload
        try require(
            payload.dialect == .json && payload.template == nil && payload.topic == nil,
            "over HTTP readings go as --write-format says: leave --dialect, --template and --topic out")
        try require(
            payload.duplicateFraction == 0 && payload.badFraction == 0, "--duplicate-fraction and --bad-fraction are for MQTT")
        try require(!target.database.isEmpty && !target.database.contains("\""), "--database is no name")
    }

    private func checkGateway() throws {
        let gateway = command.gateway
        try require(gateway.verifyLedger == nil || gateway.verify != nil, "--verify-ledger needs --verify URL")
        try require(gateway.verifyLedger == nil || gateway.ledger == nil, "--verify-ledger and --ledger exclude one another")
        try requireAddress(gateway.verify, "--verify")
        try requireAddress(gateway.probe, "--probe")
        try require((0.01...1_000).contains(gateway.probeRate), "--probe-rate must be 0.01 to 1000")
        try require((100_000...10_000_000_000).contains(gateway.probePoll.nanoseconds), "--probe-poll must be 0.1ms to 10s")
        guard gateway.verify != nil && gateway.verifyLedger == nil || gateway.ledger != nil || gateway.probe != nil else { return }
        try require(
            ![.influxdb, .victoriametrics].contains(command.target.target),
            "--verify, --ledger and --probe ask Gaugehouse: leave them out with --target \(command.target.target.rawValue)")
        let reason = RunDescription.unverifiableReason(
            dialect: dialect, hasTemplate: command.payload.template != nil)
        if let reason { throw ValidationError(reason) }
        try require(gateway.verify == nil || command.broker.qos == 1, "--verify needs --qos 1: at QoS 0 nothing is acknowledged")
    }

    private func requireAddress(_ url: String?, _ flag: String) throws {
        guard let url else { return }
        try require(!url.hasPrefix("https://"), "\(flag): TLS is not supported; give a plain http:// address, or a tunnel's")
        try require(HTTPEndpoint(url: url) != nil, "\(flag) must be http://host[:port]")
    }
}
