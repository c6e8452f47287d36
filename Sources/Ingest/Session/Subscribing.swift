import TelemetryStore

/// What a connection has asked the broker to send, and what of it the broker has answered.
struct Subscribing {
    /// What is asked for, by the packet id of the question. Nil: something that may be refused.
    fileprivate var questions: [Int32: String?] = [:]
    /// The note to keep once every answer is there.
    fileprivate var settledNote: SessionNote?
    fileprivate var hasSettled = false
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
        let added = wanted.filters.filter { !known.contains($0) }
        if !added.isEmpty {
            let all = SessionNote(host: wanted.host, port: wanted.port, filters: known + added)
            try commit(CommitNote(source: SessionNote.source(clientID: settings.clientID), bytes: all.bytes))
        }
        if !added.isEmpty || !obsolete.isEmpty { subscribing.settledNote = wanted }
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
        if !subscribing.hasSettled, subscribing.questions.isEmpty { try settle() }
    }

    private mutating func settle() throws(SessionEnd) {
        subscribing.hasSettled = true
        subscribing.lastMessage = .now
        guard let note = subscribing.settledNote, !settings.isRetiring else { return }
        try commit(CommitNote(source: SessionNote.source(clientID: settings.clientID), bytes: note.bytes))
    }

    /// Ends a session that is to end, once it is unsubscribed from everything and empty. True: it is gone.
    mutating func isRetired(_ client: inout MosquittoClient) throws(SessionEnd) -> Bool {
        guard settings.isRetiring, subscribing.hasSettled else { return false }
        guard ContinuousClock.now - subscribing.lastMessage > Self.drainTime else { return false }
        do { try client.disconnect(endsSession: true) } catch { throw .lost(error.description) }
        try commit(CommitNote(source: SessionNote.source(clientID: settings.clientID), bytes: []))
        log.retired()
        return true
    }

    /// A message has come: the session is not empty yet.
    mutating func noteActivity() { subscribing.lastMessage = .now }
}
