import Dialects
import Synchronization
import Telemetry
import TelemetryStore

/// The commit of the messages in hand.
extension ConnectionLoop {
    /// Commits what is in hand and forgets it; its acks may leave when this returns.
    mutating func commitInHand() throws(SessionEnd) {
        guard !intake.pointee.isEmpty else { return }
        let deadline = ContinuousClock.now + .microseconds(settings.options.commitRetry.microseconds)
        let effects = intake.pointee.takeEffects()
        var skew = ClockSkew()
        skew.add(intake.pointee.batch, receiveTime: path.clock.now())
        let receipt = try commit(notes(effects), until: deadline)
        let rejects = Rejects(broker: settings.broker, intake: intake, receipt: receipt, limits: path.limits)
        if !rejects.letters.isEmpty {
            try keep(rejects.letters, until: deadline)
            for line in counters.rejectLog.lines(rejects.counts, letters: rejects.letters) { log.refused(line) }
        }
        counters.add(skew)
        count(receipt, rejects: rejects.counts)
        take(effects)
        intake.pointee.removeAll()
        nextCommit = ContinuousClock.now + .microseconds(settings.options.commitInterval.microseconds)
        log.committed()
    }

    private func notes(_ effects: DialectEffects) -> [CommitNote] {
        effects.notes.map { CommitNote(source: ConnectionSettings.dialectNote($0.source, of: settings.clientID), bytes: $0.bytes) }
    }

    private mutating func take(_ effects: DialectEffects) {
        guard !effects.isEmpty else { return }
        requests += effects.requests
        counters.sequenceGaps.add(effects.sequenceGaps, ordering: .relaxed)
        counters.unknownAliases.add(effects.unknownAliases, ordering: .relaxed)
        counters.ignoredMetrics.add(effects.ignoredMetrics, ordering: .relaxed)
    }

    /// - Returns: nil when there was nothing to commit.
    private mutating func commit(_ notes: [CommitNote], until deadline: ContinuousClock.Instant) throws(SessionEnd) -> CommitReceipt? {
        guard !intake.pointee.batch.isEmpty || !notes.isEmpty else { return nil }
        reuseTimes()
        var delay = Duration.milliseconds(20)
        while true {
            do throws(StoreError) {
                // Before the times of receipt are given: a last will must not be older than what its device sent before.
                if !intake.pointee.timelessRows.isEmpty { try path.awaitMemory() }
                let note = assignTimes()
                let all = notes + (note.map { [CommitNote(source: settings.noteSource, bytes: $0)] } ?? [])
                let receipt = try path.commit(&intake.pointee.batch, all)
                redelivery.committed(note)
                return receipt
            } catch {
                guard error.isPassing else { throw .fatal(error) }
                try pause(&delay, until: deadline, because: error.description)
            }
        }
    }

    /// Gives redelivered messages the times they had.
    private mutating func reuseTimes() {
        for message in intake.pointee.timeless {
            guard let times = redelivery.times(packetID: message.packetID, hash: message.hash, count: message.rows.count) else { return }
            intake.pointee.setKnownTimes(times, of: message)
        }
    }

    /// Gives all other readings without a time the receive time, and remembers which.
    private mutating func assignTimes() -> [UInt8]? {
        // Again on each attempt: the clock may have been the reason why the last one failed.
        intake.pointee.clearAssignedTimes()
        redelivery.restart()
        path.assignMissingTimes(&intake.pointee.batch)
        for message in intake.pointee.timeless {
            redelivery.append(packetID: message.packetID, hash: message.hash, timeCount: message.rows.count)
            for timeless in intake.pointee.timelessRows[message.rows] {
                // What a rate refuses is not stored: `.distantPast` says so of a row whose time was computed, too.
                let isRefused = intake.pointee.batch.refusal(ofRow: timeless.row) != nil
                redelivery.append(time: isRefused ? .distantPast : intake.pointee.batch.rows[timeless.row].time)
            }
        }
        return redelivery.note()
    }

    /// Writes the dead letters, before the ack. A full disk holds the ack back like a full store; a file that cannot be written for
    /// another reason must not stop ingestion: that is logged and counted.
    private mutating func keep(_ letters: [DeadLetter], until deadline: ContinuousClock.Instant) throws(SessionEnd) {
        var delay = Duration.milliseconds(20)
        var unwritten = letters[...]
        while true {
            do throws(DeadLetterFailure) {
                try deadLetters.append(&unwritten)
                hasLostDeadLetters = false
                return
            } catch {
                guard error.isOutOfSpace else {
                    counters.deadLettersLost.add(unwritten.count, ordering: .relaxed)
                    counters.setLastError(error.description)
                    if !hasLostDeadLetters { log.problem("refused messages are lost: \(error.description)") }
                    hasLostDeadLetters = true
                    return
                }
                try pause(&delay, until: deadline, because: error.description)
            }
        }
    }

    /// Waits before the next attempt, or gives the session up.
    private func pause(_ delay: inout Duration, until deadline: ContinuousClock.Instant, because reason: String) throws(SessionEnd) {
        counters.setLastError(reason)
        guard ContinuousClock.now + delay < deadline, !control.stop.wait(for: delay) else { throw .storeRefuses(reason) }
        delay = min(delay * 2, .milliseconds(500))
    }

    private func count(_ receipt: CommitReceipt?, rejects: [RejectReason: Int]) {
        let messageCount = intake.pointee.receivedCount
        counters.payloadBytes.add(intake.pointee.payloadByteCount, ordering: .relaxed)
        counters.readings.add(receipt?.accepted ?? 0, ordering: .relaxed)
        counters.duplicates.add(receipt?.duplicates ?? 0, ordering: .relaxed)
        counters.retainedDropped.add(intake.pointee.retainedDropped, ordering: .relaxed)
        counters.emptyIgnored.add(intake.pointee.emptyIgnored, ordering: .relaxed)
        counters.overlapsIgnored.add(intake.pointee.overlapsIgnored, ordering: .relaxed)
        counters.ignored.add(intake.pointee.ignored, ordering: .relaxed)
        counters.batches.add(1, ordering: .relaxed)
        counters.largestBatch.max(messageCount, ordering: .relaxed)
        counters.addRejects(rejects)
        counters.messages.add(messageCount, ordering: .relaxed)
    }
}

extension StoreError {
    /// True when waiting may help.
    var isPassing: Bool { code == .diskFull || code == .overloaded || code == .clock }
}

/// What a batch leaves for the dead letters: messages that could not be decoded, and those with readings that the store refused.
private struct Rejects {
    var counts: [RejectReason: Int] = [:]
    /// One for each message; the first of its reasons.
    var letters: [DeadLetter] = []

    private let broker: String

    init(
        broker: String, intake: UnsafeMutablePointer<MessageIntake>, receipt: CommitReceipt?, limits: (TableNumber) -> TableLimits
    ) {
        self.broker = broker
        for (index, rejection) in intake.pointee.rejected {
            counts[rejection.reason, default: 0] += 1
            add(rejection, message: intake.pointee.messages[index], intake: intake)
        }
        guard let receipt, !receipt.rejections.isEmpty else { return }
        var lastMessage = -1
        for refused in receipt.rejections {
            counts[refused.reason, default: 0] += 1
            let index = intake.pointee.message(ofRow: refused.row)
            guard index != lastMessage else { continue }
            lastMessage = index
            let message = intake.pointee.messages[index]
            let rejection = Rejection(refused, of: message, in: intake.pointee.batch, limits: limits)
            add(rejection, message: message, intake: intake)
        }
    }

    private mutating func add(_ rejection: Rejection, message: MessageIntake.Message, intake: UnsafeMutablePointer<MessageIntake>) {
        letters.append(
            DeadLetter(
                rejection: rejection, broker: broker, topic: intake.pointee.topic(of: message),
                payload: intake.pointee.payload(of: message),
                payloadByteCount: message.payloadByteCount))
    }
}

extension Rejection {
    fileprivate init(
        _ refused: CommitReceipt.Rejection, of message: MessageIntake.Message, in batch: ReadingBatch,
        limits: (TableNumber) -> TableLimits
    ) {
        let row = batch.rows[refused.row]
        let device = String(decoding: batch.bytes[row.device.range], as: UTF8.self)
        let position = message.rows.count == 1 ? "" : "reading \(refused.row - message.rows.lowerBound + 1) of \(message.rows.count), "
        let time = row.time == .distantPast ? "" : " at \(row.time.rfc3339)"
        let cause =
            switch refused.reason {
            case .late: "older than the table keeps readings"
            case .future: "too far ahead of the gateway's clock"
            case .deviceLimit: "the table has as many devices as it may: \(limits(row.table).deviceLimitText)"
            case .rateLimited: batch.refusal(ofRow: refused.row).map { limits(row.table).text(of: $0) } ?? "too fast"
            case .fieldLimit: "the table has as many fields as it may"
            default: "refused by the store"
            }
        self.init(refused.reason, "\(position)device \"\(device)\"\(time): \(cause)")
    }
}
