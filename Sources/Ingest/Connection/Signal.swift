import Glibc
import Synchronization

/// Set once, from any thread; waited for with a timeout, alone or beside a socket. May wake who waits before it is set, too.
final class Signal: Sendable {
    private let flag = Atomic<Bool>(false)
    /// A pipe that gets a byte for each reason to wake up.
    private let readEnd, writeEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { preconditionFailure("pipe: \(String(cString: strerror(errno)))") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() {
        guard !flag.exchange(true, ordering: .acquiringAndReleasing) else { return }
        wake()
    }

    /// The one that waits, or the next to do so, waits no longer.
    func wake() {
        var byte: UInt8 = 1
        // A pipe that is full wakes as well.
        write(writeEnd, &byte, 1)
    }

    /// - Returns: whether the signal is set.
    @discardableResult
    func wait(for time: Duration) -> Bool {
        wait(orReadable: -1, for: time)
        return isSet
    }

    /// Returns when the signal is set or woke, the descriptor (unless −1) has something to read, or the time is over.
    func wait(orReadable descriptor: Int32, for time: Duration) {
        // Once set, every wait returns at once, though the byte may have been read.
        guard !isSet else { return }
        var descriptors = (
            pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0), pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        )
        let (seconds, attoseconds) = time.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        withUnsafeMutableBytes(of: &descriptors) {
            _ = poll($0.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, Int32(clamping: max(milliseconds, 0)))
        }
        guard descriptors.0.revents != 0, !isSet else { return }
        var bytes: (UInt64, UInt64) = (0, 0)
        while read(readEnd, &bytes, 16) == 16 {}
    }
}
