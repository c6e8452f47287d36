/// Compares what a run's PUBACKs promised with what the gateway's HTTP API shows.
struct Verifier {
    /// Readings in one page of `/range`; below the API's limit, large enough that paging costs little.
    private static let pageLimit = 10_000
    private static let retryNanoseconds: UInt64 = 250_000_000

    let ledger: Ledger
    let gateway: GatewayReader
    /// Missing readings are waited for as long as their number falls at least once in this time: the gateway may lag behind the broker.
    let patienceNanoseconds: UInt64

    /// - Throws: `.unavailable` when the gateway stays away longer than the patience; `.badPeer` when it answers nonsense.
    func run() throws(LoadError) -> VerificationReport {
        let description = ledger.description
        let generator = description.generator
        let acknowledged = ledger.acknowledged.sorted { ($0.device, $0.sequence) < ($1.device, $1.sequence) }
        var report = VerificationReport(acknowledged: acknowledged.count)
        var pending = slices(of: acknowledged)
        var (missing, deadline) = (Int.max, Clock.nanoseconds() + patienceNanoseconds)
        while true {
            var rest: [DeviceVerifier] = []
            do throws(LoadError) {
                for device in pending {
                    let verifier = try check(device, generator: generator)
                    if verifier.missing.isEmpty || !verifier.differences.isEmpty { report.add(verifier) } else { rest.append(verifier) }
                    if Interrupt.isPending { throw LoadError(.unavailable, "verification was interrupted") }
                }
            } catch {
                guard error.code == .unavailable, Clock.nanoseconds() < deadline, !Interrupt.isPending else { throw error }
                Clock.sleep(nanoseconds: Self.retryNanoseconds)
                report = VerificationReport(acknowledged: acknowledged.count)
                pending = slices(of: acknowledged)
                continue
            }
            let stillMissing = rest.reduce(0) { $0 + $1.missing.count }
            if stillMissing < missing { (missing, deadline) = (stillMissing, Clock.nanoseconds() + patienceNanoseconds) }
            if stillMissing == 0 || Clock.nanoseconds() >= deadline {
                rest.forEach { report.add($0) }
                return report
            }
            let waiting = Set(rest.map(\.device))
            pending = pending.filter { waiting.contains($0.device) }
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

    private func check(_ share: Share, generator: ReadingGenerator) throws(LoadError) -> DeviceVerifier {
        let description = ledger.description
        let fleet = description.fleet
        let sentCount = ledger.trailer.map {
            fleet.readingCount(device: share.device, connectionMessageCount: $0.sent[share.device % fleet.connectionCount])
                * description.readingsPerMessage
        }
        var verifier = DeviceVerifier(
            device: share.device, description: description, generator: generator, acknowledged: share.acknowledged, sentCount: sentCount)
        try gateway.forEachRow(
            device: description.naming.name(of: share.device), from: description.earliestTime, through: endTime(share),
            pageLimit: Self.pageLimit
        ) { verifier.add($0) }
        verifier.finish()
        return verifier
    }

    /// No reading of the run is newer. Times that the gateway gives are bound by the present, with a second for a clock that differs.
    private func endTime(_ share: Share) -> Int64 {
        guard ledger.description.dialect.isTimed else { return Clock.epochMicroseconds() + 1_000_000 }
        let newest = share.acknowledged.reduce(ledger.description.startTime) { max($0, $1.time) }
        return max(ledger.trailer?.endTime ?? 0, newest)
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
