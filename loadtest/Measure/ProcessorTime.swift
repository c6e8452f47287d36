import Glibc

/// CPU time this process has used, to show that the generator does not measure itself.
struct ProcessorTime: Sendable {
    var userMicroseconds: Int64
    var systemMicroseconds: Int64

    var totalMicroseconds: Int64 { userMicroseconds + systemMicroseconds }

    static func now() -> ProcessorTime {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return ProcessorTime(
            userMicroseconds: Int64(usage.ru_utime.tv_sec) * 1_000_000 + Int64(usage.ru_utime.tv_usec),
            systemMicroseconds: Int64(usage.ru_stime.tv_sec) * 1_000_000 + Int64(usage.ru_stime.tv_usec))
    }

    static func - (a: ProcessorTime, b: ProcessorTime) -> ProcessorTime {
        ProcessorTime(
            userMicroseconds: a.userMicroseconds - b.userMicroseconds,
            systemMicroseconds: a.systemMicroseconds - b.systemMicroseconds)
    }
}
