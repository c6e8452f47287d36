import ArgumentParser
import Foundation
import Testing

@testable import gaugehouse_load

@Suite("Options and scenarios")
struct OptionTests {
    private func message(_ arguments: [String]) -> String? {
        do {
            _ = try LoadCommand.parse(arguments)
            return nil
        } catch {
            return LoadCommand.message(for: error)
        }
    }

    @Test(
        "a wrong option is named with what it takes",
        arguments: [
            ("--rate 0", "--rate must be above 0"), ("--rate nan", "--rate must be"), ("--connections 101", "--connections must be 1 to"),
            ("--host mqtts://b", "TLS"), ("--verify https://h --rate 5", "TLS"), ("--verify h:1", "--verify must be http://"),
            ("--rate 1 --reading-rate 1", "exclude"), ("--burst 5@1s --rate 3", "--burst has its own rate"),
            ("--poisson", "--poisson needs"),
            ("--burst 5@1s --ramp-up 1s", "no ramps"), ("--rate-to 5", "--rate-to needs"), ("--ramp-down 1s --count 5", "--ramp-down"),
            ("--dialect shelly --verify http://h", "do not say their number"), ("--template x --verify http://h", "cannot be verified"),
            ("--dialect sparkplug-b --probe http://h", "cannot be verified or probed"), ("--topic a/b", "must hold {device}"),
            ("--dialect homie --topic a/{device}", "part of its specification"), ("--dialect value --duplicate-fraction 0.5", "no time"),
            ("--dialect tasmota --readings-per-message 2", "one reading a message"), ("--late-fraction 1.5", "0 to 1"),
            ("--late-fraction 0.1 --late-by 100000h", "--late-by"),
            ("--dialect csv --rate 200000 --devices 10", "--devices 200"), ("--target influxdb", "needs --url"),
            ("--target influxdb --url http://h --verify http://h", "ask Gaugehouse"), ("--url http://h", "needs --target"),
            ("--target victoriametrics --url http://h --dialect csv", "leave --dialect"),
            ("--user u --password p --password-file f", "exclude"),
            ("--dialect csv --payload-size 100", "--payload-size needs"), ("--verify-ledger x", "needs --verify"),
            ("--qos 0 --verify http://h", "QoS 0"),
            ("--reconnect-storm 1ms", "100ms"), ("--prefix a/b", "--prefix"), ("--dialect nonsense", "sparkplug-b"),
            ("--target gaugehouse-http --url http://h --bad-fraction 0.1", "for MQTT"),
        ])
    func wrong(arguments: String, words: String) {
        let message = message(arguments.split(separator: " ").map(String.init))
        #expect(message?.contains(words) == true, "\(message ?? "accepted")")
    }

    @Test(
        "what the end-to-end tests and benchmarks use is accepted",
        arguments: [
            "--devices 100 --rate 500 --duration 12s --count 5 --ledger x --reconnect --drain 60s --json --window 500 --connections 4",
            "--verify-ledger x --verify http://127.0.0.1:8080", "-d 5 -c 2 -r 10 -q 0 -n 5 -p 1884",
            "--dialect thingsboard-gateway --readings-per-message 100 --verify http://h",
        ])
    func accepted(arguments: String) {
        let message = message(arguments.split(separator: " ").map(String.init))
        #expect(message == nil, "\(message ?? "")")
    }

    @Test("a reading rate is divided by the readings of a message")
    func readingRate() throws {
        let command = try LoadCommand.parse(["--reading-rate", "5000", "--readings-per-message", "100"])
        #expect(OptionsBuilder.plan(command).rate == 50)
    }

    @Test("scenario names are exactly the long flags of --help")
    func scenarioNames() throws {
        let flags = LoadCommand.helpMessage(columns: 200).matches(of: try Regex("(?m)^  (?:-\\w, )?--([a-z-]+)")).compactMap {
            $0.output[1].substring.map(String.init)
        }
        #expect(Set(flags).subtracting(["scenario", "verify-ledger", "help"]) == Scenario.names)
    }

    @Test("the command line wins over the scenario, comments do not count")
    func precedence() throws {
        let text = "# all\nrate = 100  # a rate\n\nreconnect=true\npoisson = false\ndevices = 7\r\n"
        let arguments = try Scenario.parse(Array(text.utf8), name: "s", except: ["devices"])
        #expect(arguments == ["--rate=100", "--reconnect"])
        let command = try LoadCommand.parse(arguments + ["--devices", "9"])
        #expect(command.fleet.devices == 9 && command.schedule.rate == 100 && command.broker.reconnect)
    }

    @Test(
        "a wrong line is named with file and line",
        arguments: [
            ("a\n", "s:1: not a"), ("\nfoo = 1", "s:2: no option --foo"), ("rate =", "s:1: rate has no value"),
            ("rate = 1\nrate = 2", "s:2: rate stands"), ("poisson = yes", "s:1: poisson is true or false"),
            ("scenario = x", "s:1: no option"),
        ])
    func wrongLine(text: String, words: String) {
        let error = #expect(throws: LoadError.self) { try Scenario.parse(Array(text.utf8), name: "s") }
        #expect(error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
        #expect(error?.exitCode == 64)
    }

    private static let scenarios = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../loadtest/scenarios")
        .standardizedFileURL

    private static var scenarioFiles: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: scenarios.path)) ?? []).filter { $0.hasSuffix(".conf") }.sorted()
    }

    @Test("the shipped scenarios are there")
    func shipped() {
        #expect(
            Set(Self.scenarioFiles).isSuperset(
                of: [
                    "steady.conf", "burst.conf", "ramp-to-saturation.conf", "late-and-duplicates.conf", "arrays-of-100.conf",
                    "many-devices.conf",
                    "reconnect-storm.conf",
                ]))
    }

    @Test("every shipped scenario is accepted, and begins with what it is for", arguments: scenarioFiles)
    func shippedScenario(name: String) throws {
        let path = Self.scenarios.appending(path: name).path
        let arguments = try Scenario.expand(["--scenario", path])
        let message = message(arguments)
        #expect(message == nil, "\(message ?? "")")
        #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("# "))
    }
}
