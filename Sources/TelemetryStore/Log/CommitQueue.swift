import TelemetryCodec

/// Where committers meet the log thread: batches are gathered into one group, one write, one sync, and all wake.
///
/// While a group is being synced the next one gathers by itself. `commitInterval` only bounds the wait for committers that are known
/// to be on their way (encoding right now); a lone committer never waits.
final class CommitQueue: @unchecked Sendable {
    /// Bytes that one record takes at most, notes included, unless a single batch is larger.
    private static let groupByteLimit = 8 << 20

    private let monitor = Monitor()
    private let commitIntervalMicroseconds: Int64
    private var waiting: [Submission] = []
    private var active = 0
    private var isClosed = false

    init(commitIntervalMicroseconds: Int64) { self.commitIntervalMicroseconds = commitIntervalMicroseconds }

    /// Committers that are on their way or wait for their group.
    var committerCount: Int { monitor.locked { active } }

    /// Announces a committer, so that the log thread may wait for its batch.
    func enter() { monitor.locked { active += 1 } }

    /// Takes the announcement back: there was nothing to write.
    func leave() {
        monitor.locked {
            active -= 1
            monitor.wakeAll()
        }
    }

    /// Hands the batch over and waits until its group is on disk and applied, or failed.
    func submit(_ submission: Submission) {
        monitor.locked {
            if isClosed {
                submission.failure = StoreError(.closed, "the store is closed")
                active -= 1
                return
            }
            waiting.append(submission)
            monitor.wakeAll()
            while !submission.isDone { monitor.waitLocked() }
            active -= 1
        }
    }

    /// The next group; nil once the queue is closed and empty. For the log thread.
    func nextGroup() -> [Submission]? {
        monitor.locked {
            while waiting.isEmpty {
                if isClosed { return nil }
                monitor.waitLocked()
            }
            let deadline = MonotonicTime.now().adding(microseconds: commitIntervalMicroseconds)
            while waiting.count < active, commitIntervalMicroseconds > 0, monitor.waitLocked(until: deadline) {}
            var byteCount = 0
            var count = 0
            for submission in waiting {
                byteCount += submission.byteCount
                if count > 0, byteCount > CommitQueue.groupByteLimit { break }
                count += 1
            }
            let group = Array(waiting.prefix(count))
            waiting.removeFirst(count)
            return group
        }
    }

    /// Wakes the committers of a group.
    func finish(_ group: [Submission]) {
        monitor.locked {
            for submission in group { submission.isDone = true }
            monitor.wakeAll()
        }
    }

    func close() {
        monitor.locked {
            isClosed = true
            monitor.wakeAll()
        }
    }
}
