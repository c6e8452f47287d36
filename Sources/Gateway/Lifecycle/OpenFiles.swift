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

    /// What this process may be allowed.
    static var highestLimit: Int {
        var limit = rlimit()
        return getrlimit(resource, &limit) == 0 ? Int(clamping: limit.rlim_max) : 1_024
    }

    /// Nil while the tables' partitions leave files enough for everything else.
    static func warning(of tables: [TableOptions], limit: Int) -> String? {
        let count = tables.map(partitionCount).reduce(0) { $0.addingReportingOverflow($1).partialValue }
        guard count > limit / 2 else { return nil }
        return "within their ttl the tables may have \(count) partitions, each with an open file, but only \(limit) files may be open: "
            + "a longer partition, a shorter ttl or a higher LimitNOFILE"
    }

    /// Partitions that are there at once when readings come all the time, those that wait to be dropped or to be written included.
    static func partitionCount(of table: TableOptions) -> Int {
        let times = table.ttl.microseconds + table.sealAfter.microseconds + table.maxFuture.microseconds
        return Int(times / max(1, table.partitionLength.microseconds)) + 2
    }
}
