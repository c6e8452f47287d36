import Foundation
import HummingbirdTesting
import NIOCore
import Telemetry
import TelemetryStore
import Testing

@testable import QueryAPI

/// Clients that read an answer slowly, and slower than anyone has to.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SlowReaderTests {
    /// - Parameter byteCount: of an answer that must be read in a second.
    private static func run(byteCount: Int, _ body: @Sendable (TestBed) async throws -> Void) async throws {
        let configure: @Sendable (inout QueryOptions) -> Void = {
            $0.progressDuration = .seconds(1)
            $0.progressByteCount = byteCount
        }
        try await TestBed.run(isLive: true, configure: configure) { bed in
            for start in stride(from: 0, to: 40_000, by: 20_000) {
                try bed.commit(
                    (start..<(start + 20_000)).map { Reading(device: "device-\($0)", time: TestBed.now, fields: ["x": .integer(1)]) })
            }
            try await body(bed)
        }
    }

    private static func connectionCount(_ bed: TestBed) async throws -> Int {
        let text = try await bed.get("/metrics").text
        let line = try #require(text.firstMatch(of: #/(?m)^gaugehouse_http_connections (\d+)$/#))
        return try #require(Int(line.output.1))
    }

    @Test func whatTheClientHasAcknowledgedCountsAndNotWhatTheSocketTook() {
        let before = AnswerProgress(acknowledged: 1_000, waiting: 70_000)
        #expect(!AnswerProgress(acknowledged: 1_999, waiting: 60_000).isBeyond(before, by: 1_000))
        #expect(AnswerProgress(acknowledged: 2_000, waiting: 70_000).isBeyond(before, by: 1_000))
        // A system that does not tell.
        let silent = AnswerProgress(acknowledged: 0, waiting: 70_000)
        #expect(!AnswerProgress(acknowledged: 0, waiting: 70_000).isBeyond(silent, by: 1_000))
        #expect(AnswerProgress(acknowledged: 0, waiting: 69_999).isBeyond(silent, by: 1_000))
    }

    @Test func anAnswerThatIsReadByDropsIsGivenUp() async throws {
        try await Self.run(byteCount: 100_000) { bed in
            // Short segments: the server's socket holds little, so that each drop lets it write some more.
            let client = try SlowClient(port: try #require(bed.client.port), bufferByteCount: 4_096, segmentByteCount: 536)
            defer { client.close() }
            try client.ask("/api/v1/devices?limit=100000", times: 8)
            var count = 2
            for _ in 0..<200 where count > 1 {
                // 40 KB/s at most.
                await client.read(4_000, times: 1, pause: .milliseconds(100))
                count = try await Self.connectionCount(bed)
            }
            #expect(count == 1)
        }
    }

    @Test func aSlowClientThatGetsOnIsLeftInPeace() async throws {
        try await Self.run(byteCount: 20_000) { bed in
            let client = try SlowClient(port: try #require(bed.client.port), bufferByteCount: 64 << 10, segmentByteCount: nil)
            defer { client.close() }
            try client.ask("/api/v1/devices?limit=100000", times: 8)
            // 600 KB/s at most. The server's socket, which holds megabytes, takes no more for seconds on end.
            let count = await client.read(30_000, times: 120, pause: .milliseconds(50))
            #expect(count > 200_000)
            #expect(try await Self.connectionCount(bed) == 2)
        }
    }
}
