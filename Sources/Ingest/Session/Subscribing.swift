import Synchronization
import Telemetry
import TelemetryStore

/// What a connection has asked the broker to send, and what of it the broker has answered.
struct Subscribing {
    fileprivate enum Question {
        case subscribe(String)
        /// The broker's own counts: may be refused.
        case watch
        case unsubscribe
        /// Unsubscribes from what nobody ever subscribed to: the answer comes behind everything that was on its way.
        case isEmpty
    }

    /// By the packet id of the question.
    fileprivate var questions: [Int32: Question] = [:]
    /// Filters that are no longer wanted, until it is time to unsubscribe from them.
    fileprivate var obsolete: [String] = []
    /// The note to keep once every answer is there; nil: it is kept.
    fileprivate var unsavedNote: SessionNote?
    /// Of a session that is to end: how often in a row the broker had nothing left.
    fileprivate var emptyAnswers = 0
    fileprivate var lastMessage = ContinuousClock.now
    /// The broker marks messages with the identifiers of their filters.
    var usesIdentifiers = false
    fileprivate var hasRefusal = false

    /// Everything that is wanted is subscribed to, and nothing else.
    fileprivate var isSettled: Bool { questions.isEmpty && obsolete.isEmpty }
}

/// Docs/format/session-note.md has the order of these steps, and what a crash leaves between them.
extension ConnectionLoop {
    /// How long a session that is to end must have been silent before the broker is asked whether it is empty.
    private static let silence: Duration = .seconds(1)
    /// So many times in a row.
    private static let emptyAnswersNeeded = 2
    private static let emptyFilter = "gaugehouse/nothing"

    /// Queues subscriptions to what the settings say. Nothing is written: what is in hand is not committed yet.
    mutating func subscribe(_ client: inout MosquittoClient) throws(SessionEnd) {
        let wanted = SessionNote(host: settings.options.host, port: settings.options.port, filters: settings.filters.map(\.filter))
        let known = notedSession
        let usesIdentifiers = subscribing.usesIdentifiers
        subscribing = Subscribing()
        subscribing.usesIdentifiers = usesIdentifiers
        if !usesIdentifiers { intake.pointee.subscriptionIdentifiers = nil }
        control.isSubscribed.store(false, ordering: .releasing)
        if let known, (known.host, known.port) != (wanted.host, wanted.port) { log.leftBehind(known) }
        subscribing.unsavedNote = wanted
        subscribing.obsolete = known?.filters.filter { !wanted.filters.contains($0) } ?? []
        if !settings.options.watchesBroker || settings.isRetiring { subscribing.obsolete.append(ConnectionSettings.droppedTopic) }
        // Noted before it is so: a crash must not leave a subscription that nobody knows of.
        if !wanted.filters.allSatisfy({ known?.filters.contains($0) ?? false }) {
            var both = wanted
            both.filters += subscribing.obsolete
            _ = try save(both.bytes)
        }
        do {
            let identifiers = settings.identifiers
            for (index, (filter, qos)) in settings.filters.enumerated() {
                let identifier = usesIdentifiers ? identifiers.identifier(at: index) : nil
                subscribing.questions[try client.subscribe(filter, qos: qos, identifier: identifier)] = .subscribe(filter)
            }
            if settings.number == 1, settings.options.watchesBroker, !settings.isRetiring {
                let packetID = try client.subscribe(ConnectionSettings.droppedTopic, qos: 0)
                subscribing.questions[packetID] = .watch
                intake.pointee.events.watchPacketID = packetID
            }
        } catch {
            throw .lost(error.description)
        }
    }

    /// Looks at what the broker has said since, and queues what follows from it.
    mutating func checkEvents(_ client: inout MosquittoClient) throws(SessionEnd) {
        for (packetID, code) in intake.pointee.events.answers {
            guard let question = subscribing.questions.removeValue(forKey: packetID) else { continue }
            if case .subscribe(let filter) = question { note(answer: code, to: filter) }
            if case .isEmpty = question { subscribing.emptyAnswers += 1 }
        }
        intake.pointee.events.answers.removeAll(keepingCapacity: true)
        if let dropped = intake.pointee.events.brokerDropped {
            intake.pointee.events.brokerDropped = nil
            let rise = counters.setDropped(dropped, by: settings.broker)
            if rise > 0 { log.brokerDropped(rise, total: dropped) }
        }
        guard subscribing.questions.isEmpty else { return }
        setUp(true)
        control.setSubscribed()
        try unsubscribe(&client)
        if subscribing.isSettled, !settings.isRetiring { try settle() }
    }

    /// The broker has answered everything: notes that, and from now on what its identifiers say holds.
    private mutating func settle() throws(SessionEnd) {
        guard var note = subscribing.unsavedNote else { return }
        let identifiers = settings.identifiers
        if subscribing.usesIdentifiers, !subscribing.hasRefusal { note.identifierBase = identifiers.base }
        if note != notedSession, try !save(note.bytes) { return }
        subscribing.unsavedNote = nil
        intake.pointee.subscriptionIdentifiers = note.identifierBase == 0 ? nil : identifiers
    }

    private var notedSession: SessionNote? { path.note(SessionNote.source(clientID: settings.clientID)).flatMap(SessionNote.init) }

    /// Before the broker has answered anything: the session may hold messages from when all was granted that the settings want.
    func trustNotedIdentifiers() {
        let identifiers = settings.identifiers
        let noted = notedSession
        let isThisSession = noted?.host == settings.options.host && noted?.port == settings.options.port
        let isNoted = identifiers.base != 0 && isThisSession && noted?.identifierBase == identifiers.base
        intake.pointee.subscriptionIdentifiers = isNoted ? identifiers : nil
    }

    /// One that is refused leaves the others as they are.
    private mutating func note(answer code: Int32, to filter: String) {
        guard code >= 128 else { return counters.setRefused(filter, by: settings, false) }
        counters.setRefused(filter, by: settings, true)
        subscribing.hasRefusal = true
        log.problem("the broker refuses the subscription to \(filter) (code \(code)): check its access rules")
    }

    /// Once everybody who may have taken a filter over has it.
    private mutating func unsubscribe(_ client: inout MosquittoClient) throws(SessionEnd) {
        guard !subscribing.obsolete.isEmpty, control.mayUnsubscribe() else { return }
        do {
            for filter in subscribing.obsolete { subscribing.questions[try client.unsubscribe(filter)] = .unsubscribe }
        } catch {
            throw .lost(error.description)
        }
        subscribing.obsolete = []
    }

    /// - Returns: false when the store takes nothing now; it is tried again when the broker is next looked at.
    private func save(_ note: [UInt8], forgetting source: String? = nil) throws(SessionEnd) -> Bool {
        var nothing = ReadingBatch()
        let notes = [CommitNote(source: SessionNote.source(clientID: settings.clientID), bytes: note)]
        do throws(StoreError) {
            _ = try path.commit(&nothing, notes + (source.map { [CommitNote(source: $0, bytes: [])] } ?? []))
            return true
        } catch {
            guard error.isPassing else { throw .fatal(error) }
            return false
        }
    }

    /// Of a session that is to end: asks the broker whether anything is left, and ends it when twice nothing was. True: it has ended.
    mutating func endIfDrained(_ client: inout MosquittoClient) throws(SessionEnd) -> Bool {
        guard settings.isRetiring, subscribing.isSettled, ContinuousClock.now - subscribing.lastMessage > Self.silence else { return false }
        let isEmpty = subscribing.emptyAnswers >= Self.emptyAnswersNeeded
        if isEmpty, try !save([], forgetting: settings.noteSource) { return false }
        do throws(MosquittoClient.Failure) {
            if isEmpty {
                try client.disconnect(endsSession: true)
                log.retired()
            } else {
                subscribing.questions[try client.unsubscribe(Self.emptyFilter)] = .isEmpty
            }
        } catch {
            throw .lost(error.description)
        }
        return isEmpty
    }

    /// A message has come: the session is not empty yet.
    mutating func noteActivity() {
        subscribing.lastMessage = .now
        subscribing.emptyAnswers = 0
    }
}
