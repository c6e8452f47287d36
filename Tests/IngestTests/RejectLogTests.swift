import Dialects
import Telemetry
import Testing

@testable import Ingest

@Suite struct RejectLogTests {
    private let clock = ManualClock(Timestamp(microseconds: 1_764_000_000_000_000))
    private let log: RejectLog

    init() { log = RejectLog(clock: clock) }

    private func lines(_ counts: [RejectReason: Int], topic: String = "t", detail: String = "why") -> [String] {
        Array(topic.utf8).withUnsafeBytes { topic in
            let letters = counts.keys.map { reason in
                DeadLetter(rejection: Rejection(reason, detail), broker: "b:1", topic: topic, payload: topic, payloadByteCount: 0)
            }
            return log.lines(counts, letters: letters)
        }
    }

    @Test func aReasonHasALineAtOnceAndThenOneEveryTenSeconds() {
        #expect(lines([.late: 1]) == ["refused 1 message (late), as t: why"])
        for second in 1...9 {
            clock.advance(by: .seconds(1))
            #expect(lines([.late: 2]) == [], "after \(second) s")
        }
        clock.advance(by: .seconds(1))
        #expect(lines([.late: 2], topic: "u") == ["refused 20 messages or readings (late) in 10 s, as u: why"])
        clock.advance(by: .seconds(3_600))
        #expect(lines([.late: 1]) == ["refused 1 message (late) in 3600 s, as t: why"])
    }

    @Test func reasonsDoNotSilenceOneAnother() {
        #expect(lines([.late: 1]).count == 1)
        #expect(lines([.late: 1, .undecodable: 3, .badTime: 1]).map { $0.prefix(12) } == ["refused 1 me", "refused 3 me"])
    }

    @Test func aClockThatIsPutBackSilencesNothing() {
        #expect(lines([.late: 1]).count == 1)
        clock.set(to: Timestamp(microseconds: 0))
        clock.advance(by: .seconds(10))
        #expect(lines([.late: 1]).count == 1)
    }

    @Test func aStrangersTextStaysOneLineOfBoundedLength() throws {
        let line = try #require(
            lines([.late: 1], topic: "a\nb\u{1b}[31m\u{85}", detail: String(repeating: "x", count: 100_000)).first)
        #expect(line.hasPrefix(#"refused 1 message (late), as a\u{a}b\u{1b}[31m\u{85}: xxx"#) && line.hasSuffix("x…") && line.count < 300)
    }
}
