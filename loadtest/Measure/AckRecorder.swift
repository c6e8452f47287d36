import Histogram

/// What one worker learns from acknowledgements: latencies, and which readings must be readable from now on.
struct AckRecorder: Sendable {
    /// Lines go to the ledger when this many bytes are waiting, and at least every worker turn that has time.
    private static let ledgerPortionByteCount = 64 << 10

    /// Of the measured part of the run, by the time messages were due. Messages that were never answered stand in it with the time they
    /// were waited for: a lower bound.
    private(set) var latency = Latency.histogram()
    /// Of the whole run; second copies do not count.
    private(set) var count = 0
    /// Acknowledgements that came within the measured part.
    private(set) var measuredCount = 0
    /// Messages in `latency` that were never answered.
    private(set) var unansweredCount = 0
    private(set) var lastNanoseconds: UInt64 = 0
    private(set) var series = SecondSeries()
    /// Empty unless the run is verified from memory.
    private(set) var acknowledged: [AcknowledgedReading] = []

    private var ledgerLines: [UInt8] = []
    private let naming: DeviceNaming
    private let keepsAcknowledged: Bool
    private let ledger: LedgerWriter?
    private let measuredOffsets: Range<UInt64>
    private var measured: Range<UInt64> = 0..<0

    init(options: LoadOptions, ledger: LedgerWriter?) {
        naming = options.description.naming
        keepsAcknowledged = options.keepsAcknowledged
        measuredOffsets = options.plan.measured
        self.ledger = ledger
    }

    /// - Parameter start: of the run, ns on the monotonic clock.
    mutating func begin(start: UInt64) {
        series.begin(start: start)
        let (end, isEndless) = start.addingReportingOverflow(measuredOffsets.upperBound)
        measured = start + measuredOffsets.lowerBound..<(isEndless ? .max : end)
    }

    mutating func note(sent count: Int, now: UInt64) { series.note(sent: count, now: now) }

    mutating func record(_ message: InFlightMessage, of stream: MessageStream, now: UInt64) {
        guard !message.isRepeat else { return }
        count += 1
        lastNanoseconds = now
        series.note(acknowledgedAt: now)
        recordLatency(dueAt: message.startNanoseconds, now: now)
        if measured.contains(now) { measuredCount += 1 }
        guard keepsAcknowledged || ledger != nil, !stream.isBad(message.number) else { return }
        keep(stream.readings(of: message.number, time: message.time, step: message.step))
    }

    /// For a message that was due and not sent, or sent and not acknowledged, when the run ends.
    mutating func recordUnanswered(dueAt due: UInt64, now: UInt64) {
        recordLatency(dueAt: due, now: now)
        if measured.contains(due) { unansweredCount += 1 }
    }

    private mutating func recordLatency(dueAt due: UInt64, now: UInt64) {
        let microseconds = now > due ? (now - due) / 1_000 : 0
        series.note(latencyMicroseconds: microseconds, dueAt: due)
        if measured.contains(due) { latency.record(min(microseconds, Latency.highestMicroseconds)) }
    }

    private mutating func keep(_ readings: MessageReadings) {
        for index in 0..<readings.count {
            let reading = AcknowledgedReading(
                device: UInt32(readings.device), sequence: UInt32(readings.sequence + index), time: readings.time(of: index))
            if keepsAcknowledged { acknowledged.append(reading) }
            if ledger != nil { LedgerWriter.appendLine(reading, naming: naming, to: &ledgerLines) }
        }
    }

    /// - Throws: `.file` when the ledger cannot be written: the run's proof is then worth nothing.
    mutating func flush(force: Bool) throws(LoadError) {
        guard let ledger, !ledgerLines.isEmpty, force || ledgerLines.count >= Self.ledgerPortionByteCount else { return }
        try ledger.append(lines: ledgerLines)
        ledgerLines.removeAll(keepingCapacity: true)
    }
}

enum Latency {
    /// An hour.
    static let highestMicroseconds: UInt64 = 3_600_000_000

    /// µs, three significant digits.
    static func histogram() -> Histogram<UInt64> {
        Histogram<UInt64>(
            lowestDiscernibleValue: 1, highestTrackableValue: highestMicroseconds, numberOfSignificantValueDigits: .three)
    }
}
