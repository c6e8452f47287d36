import Hummingbird
import NIOCore
import ServiceLifecycle
import Telemetry
import TelemetryStore

/// What one client of the live tail is sent, until it goes away or the server stops.
///
/// All a client costs is here: its place in the feed, one chunk of events, and what the socket takes. One that reads slowly holds its own
/// chunk back; meanwhile the feed goes on without it, and it is told how many readings it missed.
struct LiveStream: Sendable {
    /// Events of one write, about; their JSON is a little longer than the rows.
    private static let chunkByteCount = 32 << 10
    private static let statisticsInterval = Duration.seconds(1)
    private static let commentInterval = Duration.seconds(15)
    /// For a client that does not take its last bytes when the server stops.
    private static let stopLimit = Duration.seconds(2)

    let place: LiveClients.Place
    let reader: FeedReader
    let store: TelemetryStore
    let clock: any WallClock
    /// Nil: the client is not to see the rates of all devices together.
    let sampler: RateSampler?
    /// Whether the client would still be let in: a token may be revoked, or end. Asked each second.
    let isAdmitted: @Sendable () -> Bool
    /// Of each device at most one reading in this time.
    var turnInterval: Duration?
    var text: EventText

    var body: ResponseBody {
        ResponseBody { [self] writer in
            // Used by one task at a time: the stream's, and this one when that has ended.
            nonisolated(unsafe) var output = writer
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var stream = self
                    try await stream.run(&output)
                }
                group.addTask { try await endWhenServerStops() }
                // Either the stream has ended, or it is stuck in a write that cancelling ends.
                try await group.next()
                group.cancelAll()
            }
            try await output.finish(nil)
        }
    }

    private func endWhenServerStops() async throws {
        try await gracefulShutdown()
        place.end()
        try await Task.sleep(for: Self.stopLimit)
        throw CancellationError()
    }

    private mutating func run(_ output: inout any ResponseBodyWriter) async throws {
        var rows = FeedRows()
        let start = ContinuousClock.now
        var (nextStatistics, nextComment, nextTurn) = (start, start + Self.commentInterval, start)
        while !place.isEnded {
            try Task.checkCancellation()
            let now = ContinuousClock.now
            if now >= nextStatistics {
                guard isAdmitted() else { return }
                // Their place lies behind the gap: who resumes there must have been told.
                if let gap = reader.takeGap() { append(gap) }
                appendStatistics()
                nextStatistics = now + Self.statisticsInterval
            }
            if now >= nextComment {
                text.comment()
                nextComment = now + Self.commentInterval
            }
            var progress = FeedReader.Progress.atEnd
            if now >= nextTurn, reader.hasNews {
                progress = append(&rows)
                if let turnInterval, progress == .atEnd { nextTurn = now + turnInterval }
            }
            if !text.isEmpty {
                try await output.write(ByteBuffer(bytes: text.takeBytes()))
            } else if progress == .more {
                // Much was looked at and nothing found: others of the event loop get their turn.
                await Task.yield()
            }
            guard progress == .atEnd else { continue }
            let deadline = min(nextStatistics, nextComment)
            await place.wait(LiveClients.Wish(newsBehind: reader.settled, notBefore: nextTurn, deadline: deadline))
        }
    }

    private mutating func append(_ rows: inout FeedRows) -> FeedReader.Progress {
        let progress = reader.read(into: &rows, byteLimit: Self.chunkByteCount)
        text.readings(rows)
        if case .gap(let gap) = progress { append(gap) }
        return progress
    }

    private mutating func append(_ gap: FeedGap) {
        text.gap(gap)
        place.count(missed: gap.count ?? 0)
    }

    private mutating func appendStatistics() {
        text.statistics(
            id: reader.settled, sequence: store.sequence, now: clock.now(), rates: sampler?.rates, behind: reader.behindCount)
    }
}
