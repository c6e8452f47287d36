/// Compares what a run's PUBACKs promised with what the gateway's HTTP API shows.
struct Verifier {
    /// Readings in one page of `/range`; below the API's limit, large enough that paging costs little.
    private static let pageLimit = 10_000
    private static let retryNanoseconds: UInt64 = 250_000_000
    private static let futureMicroseconds: Int64 = 3_600_000_000

    let ledger: Ledger
    let gateway: GatewayReader
    /// Missing readings are waited for as long as their number falls at least once in this time: the gateway may lag behind the broker.
    let patienceNanoseconds: UInt64

    /// - Throws: `.unavailable` when the gateway stays away longer than the patience; `.badPeer` when it answers nonsense.
    func run() throws(LoadError) -> VerificationReport {
        let acknowledged = ledger.acknowledged.sorted { ($0.device, $0.sequence) < ($1.device, $1.sequence) }
        let shares = slices(of: acknowledged)
        let faulty = try waitForMissing(shares)
        // What came or went after a device was found good counts as well, and so does what was wrong only for a while.
        var report = VerificationReport(acknowledged: acknowledged.count)
        for share in shares {
            let last = try read(share)
            report.add(last.isEqual ? faulty[share.device] ?? last : last)
        }
        return report
    }

    /// Reads until nothing is missing, or what is missing no longer becomes less.
    /// - Returns: the devices with readings that are wrong, by number.
    private func waitForMissing(_ shares: [Share]) throws(LoadError) -> [Int: DeviceVerifier] {
        var faulty: [Int: DeviceVerifier] = [:]
        var pending = shares
        var (missing, deadline) = (Int.max, Clock.nanoseconds() + patienceNanoseconds)
        while true {
            var stillMissing = 0
            var waiting: [Share] = []
            for share in pending {
                let device = try read(share)
                if !device.differences.isEmpty {
                    faulty[share.device] = device
                } else if !device.missing.isEmpty {
                    stillMissing += device.missing.count
                    waiting.append(share)
                }
            }
            if stillMissing < missing { (missing, deadline) = (stillMissing, Clock.nanoseconds() + patienceNanoseconds) }
            if stillMissing == 0 || Clock.nanoseconds() >= deadline { return faulty }
            pending = waiting
            Clock.sleep(nanoseconds: Self.retryNanoseconds)
        }
    }

    private typealias Share = (device: Int, acknowledged: ArraySlice<AcknowledgedReading>)

    /// The acknowledged readings of each device of the run, none included.
    private func slices(of acknowledged: [AcknowledgedReading]) -> [Share] {
        var start = 0
        return (0..<ledger.description.devices).map { device in
            let end = acknowledged[start...].firstIndex { $0.device != UInt32(device) } ?? acknowledged.count
            defer { start = end }
            return (device, acknowledged[start..<end])
        }
    }

    /// One device from its first reading to its last, again from the start when the gateway was away.
    private func read(_ share: Share) throws(LoadError) -> DeviceVerifier {
        let deadline = Clock.nanoseconds() + patienceNanoseconds
        while true {
            if Interrupt.isPending { throw LoadError(.unavailable, "verification was interrupted") }
            do {
                return try check(share)
            } catch {
                guard error.code == .unavailable, Clock.nanoseconds() < deadline else { throw error }
            }
            Clock.sleep(nanoseconds: Self.retryNanoseconds)
        }
    }

    private func check(_ share: Share) throws(LoadError) -> DeviceVerifier {
        let description = ledger.description
        let fleet = description.fleet
        let sentCount = ledger.trailer.map {
            fleet.readingCount(device: share.device, connectionMessageCount: $0.sent[share.device % fleet.connectionCount])
                * description.readingsPerMessage
        }
        var verifier = DeviceVerifier(
            device: share.device, description: description, generator: description.generator, acknowledged: share.acknowledged,
            sentCount: sentCount)
        try gateway.forEachRow(
            device: description.naming.name(of: share.device), through: endTime(share), pageLimit: Self.pageLimit
        ) { verifier.add($0) }
        verifier.finish()
        return verifier
    }

    /// An hour from now, and never before the run's own readings: no other run has its devices, and what they show besides is invented.
    private func endTime(_ share: Share) -> Int64 {
        let newest = share.acknowledged.reduce(ledger.trailer?.endTime ?? ledger.description.startTime) { max($0, $1.time) }
        return max(newest, Clock.epochMicroseconds() + Self.futureMicroseconds)
    }
}

/// The result of a verification. `--json` prints it as it stands.
struct VerificationReport: Codable, Equatable, Sendable {
    /// Differences that are kept with their details; the rest is only counted.
    private static let detailLimit = 20

    var acknowledged: Int
    var readable = 0
    var differenceCount = 0
    var first: [Difference] = []

    init(acknowledged: Int) { self.acknowledged = acknowledged }

    mutating func add(_ verifier: DeviceVerifier) {
        readable += verifier.readableCount
        let found = verifier.differences + verifier.missingDifferences
        differenceCount += found.count
        first += found.prefix(max(0, Self.detailLimit - first.count))
    }

    var isEqual: Bool { differenceCount == 0 }

    var text: String {
        let verdict = isEqual ? "all equal" : "\(differenceCount) DIFFERENCES"
        let lines = ["verified   \(acknowledged) acked, \(readable) readable: \(verdict)"] + first.map { "  \($0)" }
        return lines.joined(separator: "\n") + (first.count < differenceCount ? "\n  …" : "")
    }
}
