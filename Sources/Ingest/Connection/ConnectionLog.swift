import Logging

/// One line for each change of a connection's state, however often it is tried.
struct ConnectionLog {
    enum State: Equatable {
        case starting
        case connected
        case down(String)
        /// The store takes nothing; the connection comes and goes until it does.
        case storeRefuses(String)
    }

    private let logger: Logger
    private var state = State.starting

    init(_ settings: ConnectionSettings, logger: Logger) {
        var logger = logger
        logger[metadataKey: "broker"] = "\(settings.broker)"
        logger[metadataKey: "client_id"] = "\(settings.clientID)"
        self.logger = logger
    }

    mutating func connected(version: MosquittoClient.Version, isSessionPresent: Bool) {
        if case .storeRefuses = state { return }
        let session = isSessionPresent ? "session resumed" : "new session"
        change(to: .connected, .info, "mqtt: connected (\(version == .v5 ? "v5" : "3.1.1"), \(session))")
    }

    mutating func down(_ reason: String) {
        change(to: .down(reason), .warning, "mqtt: no connection, retrying for ever: \(reason)")
    }

    mutating func storeRefuses(_ reason: String) {
        change(to: .storeRefuses(reason), .warning, "mqtt: not acking, the broker keeps the messages: \(reason)")
    }

    mutating func committed() {
        if case .storeRefuses = state { change(to: .connected, .notice, "mqtt: the store takes readings again") }
    }

    func retired() { logger.notice("mqtt: the session is empty and has ended: no connection of the configuration has it any more") }

    func leftBehind(_ note: SessionNote) {
        logger.warning("mqtt: the session at \(note.host):\(note.port) is left to itself: its client_id goes to another broker now")
    }

    func kept(_ filters: [String]) {
        logger.warning("mqtt: stays subscribed to \(filters.joined(separator: ", ")): the broker refuses what should replace it")
    }

    func brokerDropped(_ count: Int, total: Int) {
        logger.warning(
            "mqtt: the broker dropped \(count) messages (\(total) since it started): its queues are too short, see max_queued_messages")
    }

    func fatal(_ reason: String) { logger.critical("mqtt: stopped: \(reason)") }
    func refused(_ text: String) { logger.warning("mqtt: \(text)") }
    func problem(_ text: String) { logger.error("mqtt: \(text)") }

    private mutating func change(to next: State, _ level: Logger.Level, _ text: String) {
        guard next != state else { return }
        state = next
        logger.log(level: level, "\(text)")
    }
}
