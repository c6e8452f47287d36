import Telemetry
import TelemetryStore

/// What a connection has asked the broker to send, and what of it the broker has answered.
struct Subscribing {
    /// What is asked for, by the packet id of the question. Nil: something that may be refused.
    fileprivate var questions: [Int32: String?] = [:]
    /// The note to keep once every answer is there; nil: it is kept.
    fileprivate var unsavedNote: SessionNote?
    fileprivate var isSettled = false
    fileprivate var lastMessage = ContinuousClock.now
}

/// Docs/format/session-note.md has the order of these steps, and what a crash leaves between them.
extension ConnectionLoop {
    /// How long a session that is to end must have been silent.
    private static let drainTime: Duration = .seconds(2)

    /// Subscribes to what the settings say, and unsubscribes from what earlier ones said.
    mutating func subscribe(_ client: inout MosquittoClient) throws(SessionEnd) {
        let filters = settings.filters
        let known = knownFilters()
        let wanted = SessionNote(host: settings.options.host, port: settings.options.port, filters: filters.map(\.filter))
        subscribing = Subscribing()
        let obsolete = known.filter { !wanted.filters.contains($0) }
        if wanted.filters != known { subscribing.unsavedNote = wanted }
        do {
            for (filter, qos) in filters { subscribing.questions[try client.subscribe(filter, qos: qos)] = filter }
            for filter in obsolete { subscribing.questions[try client.unsubscribe(filter)] = filter }
            if settings.number == 1, settings.options.watchesBroker, !settings.isRetiring {
                subscribing.questions[try client.subscribe(ConnectionSettings.droppedTopic, qos: 0)] = .some(nil)
            }
            try client.flush()
        } catch {
            throw .lost(error.description)
        }
    }

    /// What this broker's session is subscribed to, perhaps.
    private func knownFilters() -> [String] {
        guard let bytes = path.note(SessionNote.source(clientID: settings.clientID)), let note = SessionNote(bytes),
            note.host == settings.options.host, note.port == settings.options.port
        else { return [] }
        return note.filters
    }

    /// Looks at what the broker has said since.
    mutating func checkEvents() throws(SessionEnd) {
        for (packetID, code) in intake.pointee.events.answers {
            guard let question = subscribing.questions.removeValue(forKey: packetID) else { continue }
            guard code < 128 || question == nil else {
                throw .lost("the broker refused the subscription to \(question ?? "") (code \(code)): check its access rules")
            }
        }
        intake.pointee.events.answers.removeAll(keepingCapacity: true)
        if let dropped = intake.pointee.events.brokerDropped {
            intake.pointee.events.brokerDropped = nil
            let rise = counters.setDropped(dropped, by: settings.broker)
            if rise > 0 { log.brokerDropped(rise, total: dropped) }
        }
        guard subscribing.questions.isEmpty else { return }
        if !subscribing.isSettled {
            subscribing.isSettled = true
            subscribing.lastMessage = .now
        }
        if let note = subscribing.unsavedNote, !settings.isRetiring, try save(note.bytes) { subscribing.unsavedNote = nil }
    }

    /// - Returns: false when the store takes nothing now; it is tried again when the broker is next looked at.
    private func save(_ note: [UInt8]) throws(SessionEnd) -> Bool {
        var nothing = ReadingBatch()
        do throws(StoreError) {
            _ = try path.commit(&nothing, [CommitNote(source: SessionNote.source(clientID: settings.clientID), bytes: note)])
            return true
        } catch {
            guard error.isPassing else { throw .fatal(error) }
            return false
        }
    }

    /// Ends a session that is to end, once it is unsubscribed from everything and empty. True: it is gone.
    mutating func isRetired(_ client: inout MosquittoClient) throws(SessionEnd) -> Bool {
        guard settings.isRetiring, subscribing.isSettled else { return false }
        guard ContinuousClock.now - subscribing.lastMessage > Self.drainTime else { return false }
        guard try save([]) else { return false }
        do { try client.disconnect(endsSession: true) } catch { throw .lost(error.description) }
        log.retired()
        return true
    }

    /// A message has come: the session is not empty yet.
    mutating func noteActivity() { subscribing.lastMessage = .now }
}
