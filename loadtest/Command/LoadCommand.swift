import ArgumentParser
import FoundationEssentials
import Glibc

/// `gaugehouse-load`: publish, measure, verify.
@main
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gaugehouse-load",
        abstract: "Publishes telemetry of a simulated fleet, measures, and verifies that nothing acknowledged is lost.",
        usage: """
            gaugehouse-load [--devices D] [--connections C] [--rate R] [--duration T | --count N] [options]
            gaugehouse-load --scenario FILE [options]
            gaugehouse-load --verify-ledger FILE --verify URL
            """,
        discussion: """
            Without --rate it sends flat out: a closed loop that keeps --window messages in flight on each connection. With --rate \
            or --burst it sends on schedule, whatever the broker does, and measures latency from the scheduled time.

            Examples:
              gaugehouse-load --devices 1000 --duration 30s
              gaugehouse-load --rate 20000 --ramp-up 5s --duration 5m --html run.html
              gaugehouse-load --rate 5000 --probe http://gateway:8080 --verify http://gateway:8080
              gaugehouse-load --dialect senml --readings-per-message 10 --reading-rate 50000
              gaugehouse-load --template payload.txt --topic 'plant/{device}/up' --rate 500
              gaugehouse-load --scenario loadtest/scenarios/burst.conf --host broker
              gaugehouse-load --target influxdb --url http://127.0.0.1:8086 --rate 50000

            Exit codes: 0 all well; 1 --verify found a difference, or a probe never became visible; 64 bad options, scenario or \
            template; 69 broker or gateway not reachable, or lost; 74 a file; 75 messages left unacknowledged; 76 the peer speaks \
            another protocol; 77 the broker refused us.
            """)

    @OptionGroup(title: "Broker") var broker: BrokerFlags
    @OptionGroup(title: "Fleet") var fleet: FleetFlags
    @OptionGroup(title: "Schedule") var schedule: ScheduleFlags
    @OptionGroup(title: "Payload") var payload: PayloadFlags
    @OptionGroup(title: "Gateway") var gateway: GatewayFlags
    @OptionGroup(title: "Other targets") var target: TargetFlags
    @OptionGroup(title: "Report") var report: ReportFlags

    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        do {
            arguments = try Scenario.expand(arguments)
        } catch {
            StandardError.write("gaugehouse-load: \(error)\n")
            Glibc.exit(error.exitCode)
        }
        main(arguments)
    }

    func validate() throws { try OptionRules(command: self).check() }

    func run() throws {
        Interrupt.install()
        do {
            try gateway.verifyLedger.map(verifyEarlierRun) ?? publish()
        } catch let error as LoadError {
            StandardError.write("gaugehouse-load: \(error)\n")
            throw ExitCode(error.exitCode)
        }
    }

    private func publish() throws {
        let builder = OptionsBuilder(command: self)
        let options = try builder.options()
        let writer = try gateway.ledger.map { path throws(LoadError) in try LedgerWriter(path: path, description: options.description) }
        var outcome: LoadRun.Outcome
        do {
            let run = LoadRun(options: options, probe: try builder.probe(), ledger: writer, showsProgress: StandardError.isTerminal)
            outcome = try run.run()
        } catch {
            writer?.discard()
            throw error
        }
        try writer?.append(trailer: outcome.trailer)
        if !report.json { print(outcome.report.text) }
        if gateway.verify != nil {
            let ledger = Ledger(
                description: options.description, acknowledged: outcome.acknowledged, trailer: outcome.trailer)
            outcome.acknowledged = []
            do {
                outcome.report.verification = try verification(of: ledger)
            } catch {
                // The run's own numbers are not lost with the gateway.
                outcome.failure = outcome.failure ?? error
                outcome.report.failure = outcome.report.failure ?? error.message
            }
        }
        if report.json { print(LoadReport.encoded(outcome.report)) }
        if !report.json, let verification = outcome.report.verification { print(verification.text) }
        try writeFiles(outcome.report)
        try finish(outcome)
    }

    private func writeFiles(_ result: LoadReport) throws(LoadError) {
        if let path = report.jsonFile { try Files.write(LoadReport.encoded(result) + "\n", to: path) }
        if let path = report.html { try Files.write(HTMLReport(result).text, to: path) }
    }

    private func finish(_ outcome: LoadRun.Outcome) throws {
        if let verification = outcome.report.verification, !verification.isEqual {
            if report.json { StandardError.write(verification.text + "\n") }
            throw ExitCode(1)
        }
        if let failure = outcome.failure { throw failure }
        if outcome.report.unacknowledged > 0 {
            StandardError.write("gaugehouse-load: \(outcome.report.unacknowledged) messages were not acknowledged within \(broker.drain)\n")
            throw ExitCode(75)
        }
        let missing = (outcome.report.queryable?.missing ?? 0) + (outcome.report.durable?.missing ?? 0)
        if missing > 0 {
            StandardError.write("gaugehouse-load: \(missing) probes never came through\n")
            throw ExitCode(1)
        }
    }

    private func verifyEarlierRun(path: String) throws {
        let result = try verification(of: Ledger.read(path: path))
        print(report.json ? LoadReport.encoded(result) : result.text)
        if !result.isEqual { throw ExitCode(1) }
    }

    private func verification(of ledger: Ledger) throws(LoadError) -> VerificationReport {
        if let reason = ledger.description.unverifiableReason { throw LoadError(.usage, reason) }
        guard let endpoint = gateway.verify.flatMap({ HTTPEndpoint(url: $0) }) else {
            throw LoadError(.unavailable, "no gateway to verify at")
        }
        let token = try gateway.tokenFile.map { path throws(LoadError) in try Files.firstLine(of: path) }
        let reader = GatewayReader(client: HTTPClient(endpoint: endpoint, token: token), table: gateway.table)
        return try Verifier(ledger: ledger, gateway: reader, patienceNanoseconds: gateway.verifyPatience.nanoseconds).run()
    }
}
