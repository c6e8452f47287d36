import ServiceLifecycle
import Synchronization

/// Rates of messages and readings over the last ten seconds, from a sample each second.
final class RateSampler: Service, Sendable {
    struct Counts: Sendable {
        var messages: Int
        var readings: Int
    }

    struct Rates: Sendable {
        var messages = 0.0
        var readings = 0.0
    }

    private static let windowLength = 10

    private let start = ContinuousClock.now
    private let read: @Sendable () -> Counts
    private let samples: Mutex<[(time: ContinuousClock.Instant, counts: Counts)]>

    init(_ read: @escaping @Sendable () -> Counts) {
        self.read = read
        samples = Mutex([])
    }

    var uptimeSeconds: Double { Self.seconds(ContinuousClock.now - start) }

    /// Per second; zero until two samples exist.
    var rates: Rates {
        samples.withLock { samples in
            guard let first = samples.first, let last = samples.last, first.time < last.time else { return Rates() }
            let seconds = Self.seconds(last.time - first.time)
            return Rates(
                messages: Double(last.counts.messages - first.counts.messages) / seconds,
                readings: Double(last.counts.readings - first.counts.readings) / seconds)
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                sample()
                // Cancelled: the loop's condition ends it.
                do { try await Task.sleep(for: .seconds(1)) } catch {}
            }
        }
    }

    private func sample() {
        let sample = (time: ContinuousClock.now, counts: read())
        samples.withLock { samples in
            samples.append(sample)
            if samples.count > Self.windowLength + 1 { samples.removeFirst() }
        }
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
