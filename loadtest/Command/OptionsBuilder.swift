/// Turns checked flags into a run's settings. Reads the files that flags name.
struct OptionsBuilder {
    let command: LoadCommand

    func options() throws(LoadError) -> LoadOptions {
        let (broker, fleet, payload) = (command.broker, command.fleet, command.payload)
        let dialect = Self.dialect(command)
        let secret = try broker.passwordFile.map { path throws(LoadError) in try Files.firstLine(of: path) } ?? broker.password
        let template = try payload.template.map { path throws(LoadError) in try Self.template(path) }
        guard let topic = TopicTemplate(payload.topic ?? dialect.topic) else { throw LoadError(.usage, "--topic is no topic") }
        return LoadOptions(
            host: broker.host, port: broker.port,
            credentials: broker.user.map { MQTTPacket.Credentials(username: $0, password: secret) }, writeTarget: try writeTarget(),
            description: description(dialect), plan: Self.plan(command), template: template, topic: topic, qualityOfService: broker.qos,
            window: broker.window, threadCount: fleet.threads, reconnects: broker.reconnect || broker.reconnectStorm != nil,
            stormNanoseconds: broker.reconnectStorm?.nanoseconds, drainNanoseconds: broker.drain.nanoseconds,
            keepAliveSeconds: broker.keepAlive, keepsAcknowledged: command.gateway.verify != nil)
    }

    func probe() throws(LoadError) -> ProbeOptions? {
        guard let endpoint = command.gateway.probe.flatMap({ HTTPEndpoint(url: $0) }) else { return nil }
        return ProbeOptions(
            endpoint: endpoint, token: try token(), table: command.gateway.table, rate: command.gateway.probeRate,
            pollNanoseconds: command.gateway.probePoll.nanoseconds, patienceNanoseconds: command.gateway.verifyPatience.nanoseconds)
    }

    /// Over HTTP readings go as lines, or in Gaugehouse's own form; both show the same fields.
    static func dialect(_ command: LoadCommand) -> Dialect {
        guard command.target.target != .mqtt else { return command.payload.dialect }
        return command.target.writeFormat == .lineProtocol ? .lineProtocol : .json
    }

    static func plan(_ command: LoadCommand) -> Plan {
        let schedule = command.schedule
        let perMessage = Double(command.payload.readingsPerMessage)
        let duration = schedule.duration ?? (schedule.count == nil ? TimeLength.seconds(10) : nil)
        return Plan(
            rate: schedule.rate ?? schedule.readingRate.map { $0 / perMessage }, endRate: schedule.rateTo, burst: schedule.burst,
            isPoisson: schedule.poisson, rampUpNanoseconds: schedule.rampUp?.nanoseconds ?? 0,
            rampDownNanoseconds: schedule.rampDown?.nanoseconds ?? 0, durationNanoseconds: duration?.nanoseconds,
            messageCount: schedule.count, tickNanoseconds: schedule.tick.nanoseconds)
    }

    private func description(_ dialect: Dialect) -> RunDescription {
        let (fleet, payload) = (command.fleet, command.payload)
        let startTime = Clock.epochMicroseconds()
        let run = RunDescription.runName(startTime: startTime)
        return RunDescription(
            run: run, prefix: fleet.prefix ?? "load-\(run)-", devices: fleet.devices, connections: fleet.connections, seed: fleet.seed,
            payloadSize: payload.payloadSize, startTime: startTime, dialect: dialect, readingsPerMessage: payload.readingsPerMessage,
            faults: Faults(
                lateFraction: payload.lateFraction, duplicateFraction: payload.duplicateFraction, badFraction: payload.badFraction,
                lateBy: Int64(payload.lateBy.nanoseconds / 1_000)),
            template: payload.template)
    }

    private static func template(_ path: String) throws(LoadError) -> PayloadTemplate {
        let bytes = try Files.read(path)
        do {
            return try TemplateParser.parse(bytes)
        } catch {
            throw LoadError(.usage, "\(path):\(error)")
        }
    }

    private func writeTarget() throws(LoadError) -> HTTPWriteTarget? {
        let target = command.target
        guard target.target != .mqtt, let endpoint = target.url.flatMap({ HTTPEndpoint(url: $0) }) else { return nil }
        return HTTPWriteTarget(
            target: target.target, endpoint: endpoint, token: try token(), format: target.writeFormat, database: target.database,
            table: command.gateway.table, batchLimit: target.batch)
    }

    private func token() throws(LoadError) -> String? {
        try command.gateway.tokenFile.map { path throws(LoadError) in try Files.firstLine(of: path) }
    }
}
