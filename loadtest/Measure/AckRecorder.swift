import Histogram

/// What one worker learns from PUBACKs: latencies, and which readings must be readable from now on.
struct AckRecorder: Sendable {
    /// Lines go to the ledger when this many bytes are waiting, and at least every worker turn that has time.
    private static let ledgerPortionByteCount = 64 << 10

    /// Microseconds, three significant digits, up to an hour.
    private(set) var latency = Histogram<UInt64>(
        lowestDiscernibleValue: 1, highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)
    private(set) var count = 0
    private(set) var lastNanoseconds: UInt64 = 0
    /// Empty unless the run is verified from memory.
    private(set) var acknowledged: [AcknowledgedReading] = []

    private var ledgerLines: [UInt8] = []
    private let fleet: Fleet
    private let naming: DeviceNaming
    private let keepsAcknowledged: Bool
    private let ledger: LedgerWriter?

    init(options: LoadOptions, ledger: LedgerWriter?) {
        fleet = options.description.fleet
        naming = options.description.naming
        keepsAcknowledged = options.keepsAcknowledged
        self.ledger = ledger
    }

    mutating func record(_ message: InFlightWindow.Message, connection: Int, now: UInt64) {
        count += 1
        lastNanoseconds = now
        latency.record(now > message.startNanoseconds ? (now - message.startNanoseconds) / 1_000 : 0)
        guard keepsAcknowledged || ledger != nil else { return }
        let position = fleet.reading(of: message.number, on: connection)
        let reading = AcknowledgedReading(device: UInt32(position.device), sequence: UInt32(position.sequence), time: message.time)
        if keepsAcknowledged { acknowledged.append(reading) }
        if ledger != nil { LedgerWriter.appendLine(reading, naming: naming, to: &ledgerLines) }
    }

    /// - Throws: `.file` when the ledger cannot be written: the run's proof is then worth nothing.
    mutating func flush(force: Bool) throws(LoadError) {
        guard let ledger, !ledgerLines.isEmpty, force || ledgerLines.count >= Self.ledgerPortionByteCount else { return }
        try ledger.append(lines: ledgerLines)
        ledgerLines.removeAll(keepingCapacity: true)
    }
}
