import Glibc
import Telemetry
import TelemetryStore

/// How many files this process may have open. Each segment keeps one, so a table needs one for each partition within its TTL.
enum OpenFiles {
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

    /// Takes what the service manager or the shell allows: the usual soft limit of 1024 is for programs that use `select`.
    /// - Returns: the limit from now on.
    static func raiseLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 1_024 }
        let allowed = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(resource, &limit) == 0 else { return Int(clamping: allowed) }
        return Int(clamping: limit.rlim_cur)
    }

    /// Partitions that are there at once when readings come all the time, those that wait to be dropped or to be written included.
    static func partitionCount(of table: TableOptions) -> Int {
        let times = table.ttl.microseconds + table.sealAfter.microseconds + table.maxFuture.microseconds
        return Int(times / max(1, table.partitionLength.microseconds)) + 2
    }
}
