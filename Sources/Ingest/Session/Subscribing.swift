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
    /// What the broker said of the filters.
    fileprivate var answers = FilterAnswers()
    /// Filters that are no longer wanted, until it is time to unsubscribe from them.
    fileprivate var obsolete: [String] = []
    /// When it was last seen that some of them are still needed.
    fileprivate var lastLook: ContinuousClock.Instant?
    /// The note to keep once every answer is there; nil: it is kept.
    fileprivate var unsavedNote: SessionNote?
    /// Of a session that is to end: how often in a row the broker had nothing left.
    fileprivate var emptyAnswers = 0
    fileprivate var lastMessage = ContinuousClock.now
    /// The broker marks messages with the identifiers of their filters, if asked to.
    var takesIdentifiers = false
    /// Of the filters that are wanted.
    fileprivate var identifiers = SubscriptionIdentifiers(filters: [])
    /// It was asked to.
    fileprivate var isMarked = false
    /// The store's note says that it does.
    fileprivate var isMarkNoted = false
    /// Everything is granted, with the QoS that was asked for.
    fileprivate var isGranted = true

    /// Everything that is wanted is subscribed to, and nothing else.
    fileprivate var isSettled: Bool { questions.isEmpty && obsolete.isEmpty }
    /// It will soon be time to give something up, and no message tells when. Not for ever: another connection may never be answered.
    var isAboutToUnsubscribe: Bool {
        questions.isEmpty && !obsolete.isEmpty && lastLook == nil && ContinuousClock.now - begin < Self.handOverLimit
    }

    private static let handOverLimit: Duration = .seconds(5)
    private let begin = ContinuousClock.now
}

/// Docs/format/session-note.md has the order of these steps, and what a crash leaves between them.
extension ConnectionLoop {
    /// How long a session that is to end must have been silent before the broker is asked whether it is empty.
    private static let silence: Duration = .seconds(1)
    /// So many times in a row.
    private static let emptyAnswersNeeded = 2
    private static let emptyFilter = "gaugehouse/nothing"

    /// Between looks whether a filter is still needed.
    private static let lookInterval: Duration = .seconds(1)

    /// Queues subscriptions to what the settings say. Nothing is written: what is in hand is not committed yet.
    /// - Parameter isNewSession: the broker knows nothing of earlier ones.
    mutating func subscribe(_ client: inout MosquittoClient, isNewSession: Bool = false) throws(SessionEnd) {
        let wanted = SessionNote(host: settings.options.host, port: settings.options.port, filters: settings.filters.map(\.filter))
        let known = notedSession
        var next = Subscribing()
        next.takesIdentifiers = subscribing.takesIdentifiers
        next.identifiers = settings.identifiers
        next.isMarked = next.takesIdentifiers && !isNewSession && areIdentifiersNoted
        next.isMarkNoted = known.map { $0.identifierBase != 0 } ?? false
        next.unsavedNote = wanted
        next.obsolete = known?.filters.filter { !wanted.filters.contains($0) } ?? []
        if !settings.options.watchesBroker || settings.isRetiring { next.obsolete.append(ConnectionSettings.droppedTopic) }
        subscribing = next
        control.answers.value = nil
        if let known, (known.host, known.port) != (wanted.host, wanted.port) { log.leftBehind(known) }
        if !subscribing.isMarked { intake.pointee.subscriptionIdentifiers = nil }
        // Noted before it is so: a crash must not leave a subscription that nobody knows of, nor trust in identifiers that are gone.
        let isForgotten = subscribing.isMarkNoted && !subscribing.isMarked
        if isForgotten || !wanted.filters.allSatisfy({ known?.filters.contains($0) ?? false }) {
            var both = wanted
            both.filters += subscribing.obsolete
            if try save(both.bytes) {
                subscribing.isMarkNoted = false
            } else if isForgotten {
                subscribing.takesIdentifiers = false
            }
        }
        try ask(&client)
        guard settings.number == 1, settings.options.watchesBroker, !settings.isRetiring else { return }
        do {
            subscribing.questions[try client.subscribe(ConnectionSettings.droppedTopic, qos: 0)] = .watch
        } catch {
            throw .lost(error.description)
        }
    }

    /// For every filter, with identifiers if they are to mark messages.
    private mutating func ask(_ client: inout MosquittoClient) throws(SessionEnd) {
        subscribing.answers = FilterAnswers()
        do {
            for (index, (filter, qos)) in settings.filters.enumerated() {
                let identifier = subscribing.isMarked ? subscribing.identifiers.identifier(at: index) : nil
                let packetID = try client.subscribe(filter, qos: qos, identifier: identifier)
                subscribing.questions[packetID] = .subscribe(filter)
                intake.pointee.events.askedQoS[packetID] = Int32(qos)
            }
        } catch {
            throw .lost(error.description)
        }
    }

    /// Looks at what the broker has said since, and queues what follows from it.
    mutating func checkEvents(_ client: inout MosquittoClient) throws(SessionEnd) {
        for answer in intake.pointee.events.answers {
            guard let question = subscribing.questions.removeValue(forKey: answer.packetID) else { continue }
            if case .subscribe(let filter) = question { note(answer, to: filter) }
            if case .isEmpty = question { subscribing.emptyAnswers += 1 }
        }
        intake.pointee.events.answers.removeAll(keepingCapacity: true)
        if let dropped = intake.pointee.events.brokerDropped {
            intake.pointee.events.brokerDropped = nil
            let rise = counters.setDropped(dropped, by: settings.broker)
            if rise > 0 { log.brokerDropped(rise, total: dropped) }
        }
        try forgetIdentifiers()
        guard subscribing.questions.isEmpty else { return }
        setUp(true)
        if control.answers.value == nil { control.setAnswers(subscribing.answers) }
        if try mark(&client) { return }
        try unsubscribe(&client)
        if subscribing.isSettled, !settings.isRetiring { try settle() }
    }

    /// All that is wanted is granted: subscribes once more, with identifiers. From then on they say who takes a message.
    /// - Returns: whether anything was asked.
    private mutating func mark(_ client: inout MosquittoClient) throws(SessionEnd) -> Bool {
        let isMarkable = subscribing.takesIdentifiers && subscribing.isGranted && subscribing.identifiers.base != 0
        guard isMarkable, !subscribing.isMarked else { return false }
        subscribing.isMarked = true
        intake.pointee.subscriptionIdentifiers = subscribing.identifiers
        try ask(&client)
        return true
    }

    /// The broker no longer grants what it did: tells who comes after a crash.
    private mutating func forgetIdentifiers() throws(SessionEnd) {
        guard subscribing.isMarkNoted, !subscribing.isGranted, var note = notedSession else { return }
        note.identifierBase = 0
        if try save(note.bytes) { subscribing.isMarkNoted = false }
    }

    /// The broker has answered everything: notes that, and what its identifiers say holds after a restart, too.
    private mutating func settle() throws(SessionEnd) {
        guard var note = subscribing.unsavedNote else { return }
        if subscribing.isMarked, subscribing.isGranted { note.identifierBase = subscribing.identifiers.base }
        if note != notedSession, try !save(note.bytes) { return }
        subscribing.unsavedNote = nil
        intake.pointee.subscriptionIdentifiers = note.identifierBase == 0 ? nil : subscribing.identifiers
    }

    private var notedSession: SessionNote? { path.note(SessionNote.source(clientID: settings.clientID)).flatMap(SessionNote.init) }

    /// The session that the store knows of was granted all that the settings want, with its identifiers.
    private var areIdentifiersNoted: Bool {
        guard let noted = notedSession, noted.identifierBase != 0 else { return false }
        return noted.host == settings.options.host && noted.port == settings.options.port
            && noted.filters == settings.filters.map(\.filter) && noted.identifierBase == settings.identifiers.base
    }

    /// Before the broker has answered anything: the session may hold messages from when all was granted that the settings want.
    func trustNotedIdentifiers() {
        intake.pointee.subscriptionIdentifiers = areIdentifiersNoted ? settings.identifiers : nil
    }

    /// One that is refused leaves the others as they are.
    private mutating func note(_ answer: BrokerEvents.Answer, to filter: String) {
        if answer.isFull == false { subscribing.isGranted = false }
        let isRefused = answer.code >= 128
        counters.setRefused(filter, by: settings, isRefused)
        if isRefused {
            subscribing.answers.refused.append(filter)
            log.problem("the broker refuses the subscription to \(filter) (code \(answer.code)): check its access rules")
        } else {
            subscribing.answers.granted.append(filter)
            if answer.isFull == false {
                log.problem("the broker grants \(filter) only QoS \(answer.code): what comes while the gateway is away is lost")
            }
        }
    }

    /// Once everybody who may have taken a filter over has it: that is this connection itself, or all of the same broker. What a refused
    /// filter should bring, and no other does, is kept.
    private mutating func unsubscribe(_ client: inout MosquittoClient) throws(SessionEnd) {
        guard !subscribing.obsolete.isEmpty, subscribing.lastLook.map({ ContinuousClock.now - $0 > Self.lookInterval }) ?? true else {
            return
        }
        let (own, all) = (subscribing.answers, control.answersOfAll())
        let kept = subscribing.obsolete.filter { filter in
            if own.granted.contains(where: { TopicFilter.covers($0, filter) }) { return false }
            guard let all else { return true }
            return all.needs(filter) && settings.subscriptions.contains { TopicFilter.covers($0.filter, filter) }
        }
        if all != nil, !kept.isEmpty {
            if subscribing.lastLook == nil { log.kept(kept) }
            subscribing.lastLook = .now
        }
        do {
            for filter in subscribing.obsolete where !kept.contains(filter) {
                subscribing.questions[try client.unsubscribe(filter)] = .unsubscribe
            }
        } catch {
            throw .lost(error.description)
        }
        subscribing.obsolete = kept
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
