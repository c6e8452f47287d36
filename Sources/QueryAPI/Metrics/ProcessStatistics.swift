#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the kernel says about this process; every number is nil where it does not say.
struct ProcessStatistics {
    /// User and system time.
    let cpuSeconds: Double?
    let residentByteCount: Int?
    let openFileCount: Int?
    let openFileLimit: Int?

    static func current() -> ProcessStatistics {
        ProcessStatistics(
            cpuSeconds: cpuSeconds(), residentByteCount: residentByteCount(), openFileCount: openFileCount(),
            openFileLimit: openFileLimit())
    }

    /// Bytes that an unprivileged process may still write to the file system of `path`.
    static func freeByteCount(at path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    private static func cpuSeconds() -> Double? {
        let ticks = clock()
        return ticks < 0 ? nil : Double(ticks) / Double(CLOCKS_PER_SEC)
    }

    /// `/proc/self/statm`: pages of size, resident, …
    private static func residentByteCount() -> Int? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let numbers = text.split(separator: " ")
        return numbers.count > 1 ? Int(numbers[1]).map { $0 * sysconf(Int32(_SC_PAGESIZE)) } : nil
    }

    private static func openFileCount() -> Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Without `.`, `..` and the descriptor of this listing.
        return count - 3
    }

    private static func openFileLimit() -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }
}
