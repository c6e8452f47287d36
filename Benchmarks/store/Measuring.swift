import Glibc

/// What this process has used so far.
struct Usage {
    var cpuSeconds: Double
    var wallSeconds: Double

    static func now() -> Usage {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        return Usage(cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), wallSeconds: Double(nanoseconds()) / 1e9)
    }

    static func - (a: Usage, b: Usage) -> Usage {
        Usage(cpuSeconds: a.cpuSeconds - b.cpuSeconds, wallSeconds: a.wallSeconds - b.wallSeconds)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// CLOCK_MONOTONIC.
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Times of single calls.
struct Latencies: Sendable {
    private(set) var nanoseconds: [UInt64] = []

    mutating func measure<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        let start = Usage.nanoseconds()
        let result = try body()
        nanoseconds.append(Usage.nanoseconds() - start)
        return result
    }

    mutating func add(_ value: UInt64) { nanoseconds.append(value) }

    /// Microseconds below which this share of the calls lies; 0 without calls.
    func microseconds(_ share: Double) -> Double {
        guard !nanoseconds.isEmpty else { return 0 }
        let sorted = nanoseconds.sorted()
        return Double(sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]) / 1_000
    }

    func report(_ name: String) -> [(String, Double)] {
        [
            ("\(name)_p50_us", microseconds(0.5)), ("\(name)_p99_us", microseconds(0.99)), ("\(name)_max_us", microseconds(1)),
            ("\(name)_count", Double(nanoseconds.count)),
        ]
    }
}

/// Bytes of the process by /proc/self/status, e.g. `VmHWM` for the peak.
func memoryByteCount(_ key: String) -> Int {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if text.hasPrefix(key + ":") { return (Int(text.split { !$0.isNumber }.first ?? "0") ?? 0) * 1_024 }
    }
    return 0
}

/// Starts the peak anew, so that what came before does not count. Best effort: the kernel may not allow it.
func resetPeakMemory() {
    let descriptor = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = write(descriptor, "5", 1)
    close(descriptor)
}

/// Prints one JSON object of numbers.
func printReport(_ entries: [(String, Double)]) {
    print("{" + entries.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
}
