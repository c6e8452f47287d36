import Glibc
import Telemetry

/// Publishes dead letters again, so that they pass through the mended mapping: at QoS 1, to the topics they came by.
///
/// 1. The letters that are there now are read, the oldest first; at most `window` are on their way.
/// 2. A letter is sent only when there is room for its mark.
/// 3. A letter that the broker has acked is marked (`ReplayMarks`), synced before the next are sent. No letter is ever removed.
///
/// At least once: after a crash between the ack and the mark, the letters of one window are sent again by the next replay. For readings
/// that carry a time that is a duplicate, which changes nothing. Readings without one get the time of the replay's receipt, and are
/// doubled.
package struct DeadLetterReplay {
    /// What became of the selected letters.
    package struct Report: Sendable, Equatable {
        package var replayed = 0
        /// By an earlier replay.
        package var replayedBefore = 0
        /// Only the beginning of their payload was kept.
        package var cut = 0
        /// The broker took them, but nobody is subscribed to their topics: they stay.
        package var unheard = 0
        /// The broker refused them: they stay.
        package var refused = 0
        /// What it said to the first.
        package var refusal: String?
        /// Of a broker that is none of those given: they stay.
        package var homeless = 0
        /// Lines that are no letters.
        package var unreadable = 0

        package init() {}
    }

    /// Why it ended early, and how far it came.
    package struct Interrupted: Error, Sendable, CustomStringConvertible {
        package enum Cause: Sendable {
            case letters
            /// There are none: not even the directory.
            case missing
            /// Another replay runs.
            case busy
            case broker
        }

        package var cause: Cause
        package var description: String
        package var report = Report()
    }

    /// Letters sent and not yet acked.
    private static let window = 100

    private let path: String
    private let brokers: [MQTTOptions]
    private let selection: DeadLetterSelection
    private var report = Report()

    /// - Parameters:
    ///   - path: of `DeadLetterFile`.
    ///   - brokers: one or more; a letter goes to the one that it came from, or to the only one. The clients' names get `-replay` added,
    ///     and their sessions end with the replay.
    package init(path: String, brokers: [MQTTOptions], selection: DeadLetterSelection) {
        self.path = path
        self.brokers = brokers.map { options in
            var options = options
            options.clientID += "-replay"
            options.sessionExpiry = .zero
            return options
        }
        self.selection = selection
    }

    /// - Parameter isTrial: counts only; sends and marks nothing.
    package mutating func run(isTrial: Bool = false) throws(Interrupted) -> Report {
        report = Report()
        let lock = try lockFolder()
        defer {
            // A process that is being forked right now would keep the lock a little longer.
            flock(lock, LOCK_UN)
            close(lock)
        }
        do throws(Interrupted) {
            for broker in brokers.indices {
                // Behind the lock, because it reads the marks.
                let reader = try letters { () throws(DeadLetterFailure) in try DeadLetterReader(path: path, selection: selection) }
                if isTrial {
                    while try nextToSend(reader, to: broker) != nil { report.replayed += 1 }
                } else {
                    try send(reader, to: broker)
                }
                report.unreadable = reader.unreadableCount
            }
            return report
        } catch {
            throw Interrupted(cause: error.cause, description: error.description, report: report)
        }
    }

    /// One replay at a time: two would send letters twice.
    private func lockFolder() throws(Interrupted) -> Int32 {
        try letters { () throws(DeadLetterFailure) in
            let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { throw DeadLetterFailure("open", path) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let error = errno
                close(descriptor)
                throw DeadLetterFailure("lock", path, error)
            }
            return descriptor
        }
    }

    /// Counts those that are sent to no broker.
    private mutating func nextToSend(_ reader: DeadLetterReader, to broker: Int) throws(Interrupted) -> StoredLetter? {
        while let letter = try letters({ () throws(DeadLetterFailure) in try reader.next() }) {
            let home = home(of: letter.letter)
            // What goes nowhere is counted in the first broker's turn.
            guard home ?? 0 == broker else { continue }
            if letter.isReplayed {
                report.replayedBefore += 1
            } else if letter.letter.isCut {
                report.cut += 1
            } else if home == nil {
                report.homeless += 1
            } else {
                return letter
            }
        }
        return nil
    }

    private func home(of letter: DeadLetterLine) -> Int? {
        if brokers.count == 1 { return 0 }
        return brokers.firstIndex { "\($0.host):\($0.port)" == letter.broker }
    }

    private mutating func send(_ reader: DeadLetterReader, to index: Int) throws(Interrupted) {
        guard let first = try nextToSend(reader, to: index) else { return }
        let options = brokers[index]
        let intake = UnsafeMutablePointer<MessageIntake>.allocate(capacity: 1)
        intake.initialize(to: MessageIntake(routes: [], clock: SystemClock()))
        defer {
            intake.deinitialize(count: 1)
            intake.deallocate()
        }
        var publisher = try broker(options) { () throws(MosquittoClient.Failure) in try ReplayPublisher(options, intake: intake) }
        var next: StoredLetter? = first
        // Of the letters: what is on its way by then is answered and marked first.
        var failure: Interrupted?
        while next != nil || publisher.inFlightCount > 0 {
            guard let letter = next, publisher.inFlightCount < Self.window else {
                try take(try broker(options) { () throws(MosquittoClient.Failure) in try publisher.answers() }, reader)
                continue
            }
            next = nil
            do throws(Interrupted) {
                try letters { () throws(DeadLetterFailure) in try reader.promiseMark(letter) }
            } catch {
                failure = error
                continue
            }
            try broker(options) { () throws(MosquittoClient.Failure) in try publisher.send(letter) }
            do throws(Interrupted) { next = try nextToSend(reader, to: index) } catch { failure = error }
        }
        try broker(options) { () throws(MosquittoClient.Failure) in try publisher.close() }
        if let failure { throw failure }
    }

    private mutating func take(
        _ answers: [(letter: StoredLetter, answer: ReplayPublisher.Answer)], _ reader: DeadLetterReader
    ) throws(Interrupted) {
        var replayed = 0
        for (letter, answer) in answers {
            switch answer {
            case .taken:
                reader.mark(letter)
                replayed += 1
            case .unheard: report.unheard += 1
            case .refused(let text):
                report.refused += 1
                report.refusal = report.refusal ?? text
            }
        }
        try letters { () throws(DeadLetterFailure) in try reader.saveMarks() }
        report.replayed += replayed
    }

    private func letters<R: ~Copyable>(_ body: () throws(DeadLetterFailure) -> R) throws(Interrupted) -> R {
        do throws(DeadLetterFailure) {
            return try body()
        } catch {
            guard error.errno != EWOULDBLOCK else {
                throw Interrupted(cause: .busy, description: "another replay of \(path) is running")
            }
            throw Interrupted(cause: error.isMissing ? .missing : .letters, description: error.description)
        }
    }

    private func broker<R: ~Copyable>(_ options: MQTTOptions, _ body: () throws(MosquittoClient.Failure) -> R) throws(Interrupted) -> R {
        do throws(MosquittoClient.Failure) {
            return try body()
        } catch {
            throw Interrupted(cause: .broker, description: "\(options.host):\(options.port): \(error.description)")
        }
    }
}
