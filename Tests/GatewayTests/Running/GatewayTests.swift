import Foundation
import Gateway
import Telemetry
import TelemetryStore
import Testing

@Suite(.timeLimit(.minutes(2))) struct GatewayTests {
    @Test func whatIsWrittenIsReadAtOnceAndAfterARestart() async throws {
        let directory = try TemporaryDirectory()
        try await RunningGateway.run(in: directory) { gateway in
            let written = try await gateway.post("/api/v1/write", #"{"device":"dev-1","fields":{"temperature":21.5}}"#)
            #expect(written.status == 204)
            #expect(try await gateway.get("/api/v1/devices/dev-1/latest").body.contains(#""temperature":{"value":21.5"#))
            #expect(try await gateway.get("/-/ready").status == 200)
        }
        try await RunningGateway.run(in: directory) { gateway in
            let latest = try await gateway.get("/api/v1/devices/dev-1/latest")
            #expect(latest.body.contains(#""temperature":{"value":21.5"#))
        }
    }

    @Test func theEffectiveConfigurationIsServed() async throws {
        try await RunningGateway.run(in: TemporaryDirectory(), flags: ["table.0.ttl=90s"]) { gateway in
            let answer = try await gateway.get("/api/v1/config")
            #expect(answer.status == 200 && answer.body.contains(#""ttl" : "90s""#))
        }
    }

    @Test func withAWrongClockItIsNotReadyTakesNothingAndSaysWhy() async throws {
        let clock = ManualClock(Timestamp(microseconds: 0))
        try await RunningGateway.run(in: TemporaryDirectory(), clock: clock) { gateway in
            let ready = try await gateway.get("/-/ready")
            #expect(ready.status == 503 && ready.body.contains("1970-01-01T00:00:00Z"))
            #expect(try await gateway.post("/api/v1/write", #"{"device":"d","fields":{"a":1}}"#).status == 503)
            clock.set(to: SystemClock().now())
            #expect(try await gateway.get("/-/ready").status == 200)
            #expect(try await gateway.post("/api/v1/write", #"{"device":"d","fields":{"a":1}}"#).status == 204)
        }
    }

    @Test func aBrokerThatIsAwayKeepsItFromBeingReadyAndFromNothingElse() async throws {
        try await RunningGateway.run(in: TemporaryDirectory(), flags: ["mqtt.port=1"]) { gateway in
            let ready = try await gateway.get("/-/ready")
            #expect(ready.status == 503 && ready.body.contains("not connected to the broker at 127.0.0.1:1"))
            #expect(try await gateway.post("/api/v1/write", #"{"device":"d","fields":{"a":1}}"#).status == 204)
        }
    }

    @Test func anAgedPartitionIsDeliveredAndItsObjectIsShown() async throws {
        let directory = try TemporaryDirectory()
        let toml = """
            [[table]]
            partition = "1s"
            seal_after = "0s"
            [[delivery]]
            age = "0s"
            destination = "file://\(directory.path)/archive"
            """
        try await RunningGateway.run(in: directory, toml: toml) { gateway in
            #expect(try await gateway.post("/api/v1/write", #"{"device":"d","fields":{"a":1}}"#).status == 204)
            var body = ""
            for _ in 0..<300 where !body.contains(#""sha256":"#) {
                try await Task.sleep(for: .milliseconds(100))
                body = try await gateway.get("/api/v1/partitions").body
            }
            #expect(body.contains(#""key":"table=telemetry/year="#), "\(body)")
            #expect(try await gateway.get("/metrics").body.contains("gaugehouse_delivery_rows_total{delivery=\"archive\"} 1"))
        }
    }
}

/// What is said when it cannot start.
@Suite(.timeLimit(.minutes(2))) struct GatewayStartTests {
    private func startError(in directory: TemporaryDirectory, flags: [String]) async -> GatewayError? {
        do {
            try await RunningGateway.run(in: directory, flags: flags) { _ in Issue.record("it started") }
            return nil
        } catch {
            return error as? GatewayError
        }
    }

    @Test func aPortInUseIsNamed() async throws {
        try await RunningGateway.run(in: TemporaryDirectory()) { first in
            let error = await startError(in: try TemporaryDirectory(), flags: ["http.listen=127.0.0.1:\(first.port)"])
            #expect(error?.exitCode == .unavailable)
            #expect(error?.description.contains("cannot listen at 127.0.0.1:\(first.port): the port is in use by another process") == true)
        }
    }

    @Test func aStoreInUseIsNamedWithItsHolder() async throws {
        let directory = try TemporaryDirectory()
        try await RunningGateway.run(in: directory) { _ in
            let error = await startError(in: directory, flags: [])
            #expect(error?.exitCode == .temporaryFailure)
            #expect(error?.description.contains("\(directory.path)/store is in use by") == true)
        }
    }

    @Test func aDirectoryThatCannotBeMadeIsNamed() async throws {
        let directory = try TemporaryDirectory()
        try Data().write(to: URL(filePath: "\(directory.path)/file"))
        let error = await startError(in: directory, flags: ["store.path=\(directory.path)/file/store"])
        #expect(error?.exitCode == .cannotCreate)
        #expect(error?.description.contains("cannot open the store \(directory.path)/file/store") == true)
    }

    @Test func optionsThatContradictTheStoreAreAConfigurationError() async throws {
        let directory = try TemporaryDirectory()
        try await RunningGateway.run(in: directory) { _ in }
        let error = await startError(in: directory, flags: ["table.0.buckets=8"])
        #expect(error?.exitCode == .configuration)
    }
}
