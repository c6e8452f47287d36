import Glibc

/// A short-lived connection to the broker that publishes letters and hears of their acks.
struct ReplayPublisher: ~Copyable {
    /// What a broker has to say within this time, before it counts as gone.
    private static let patience: Duration = .seconds(30)
    /// PUBACK codes of MQTT 5.0 §3.4.2.1: nobody is subscribed; from 0x80 on, refused.
    static let nobodyListens: Int32 = 0x10
    private static let firstFailure: Int32 = 0x80

    private var client: MosquittoClient
    private let intake: UnsafeMutablePointer<MessageIntake>
    private var inFlight: [Int32: StoredLetter] = [:]
    private var lastProgress = ContinuousClock.now

    var inFlightCount: Int { inFlight.count }

    /// Connects, with MQTT 3.1.1 where the broker speaks nothing newer.
    /// - Parameter intake: outlives the publisher; the client's callbacks write to it.
    init(_ options: MQTTOptions, intake: UnsafeMutablePointer<MessageIntake>) throws(MosquittoClient.Failure) {
        self.intake = intake
        do throws(MosquittoClient.Failure) {
            client = try Self.connect(options, .v5, intake)
        } catch {
            client = try Self.connect(options, .v311, intake)
        }
    }

    private static func connect(
        _ options: MQTTOptions, _ version: MosquittoClient.Version, _ intake: UnsafeMutablePointer<MessageIntake>
    ) throws(MosquittoClient.Failure) -> MosquittoClient {
        intake.pointee.events = BrokerEvents()
        intake.pointee.events.published = []
        var client = try MosquittoClient(id: options.clientID, version: version, intake: intake)
        try client.connect(options)
        try client.flush()
        let deadline = ContinuousClock.now + patience
        while intake.pointee.events.connected == nil {
            guard ContinuousClock.now < deadline else { throw MosquittoClient.Failure("no answer to CONNECT") }
            waitReadable(client.socket)
            try client.readPacket()
            // TLS handshakes write in between.
            try client.flush()
        }
        guard let code = intake.pointee.events.connected?.reasonCode, code == 0 else {
            let code = intake.pointee.events.connected?.reasonCode ?? 0
            throw MosquittoClient.Failure("the broker refused the connection: \(MosquittoClient.text(reasonCode: code, version: version))")
        }
        return client
    }

    mutating func send(_ letter: StoredLetter) throws(MosquittoClient.Failure) {
        let packetID = try client.publishAcked(topic: letter.letter.topic, payload: letter.letter.payload)
        if inFlight.isEmpty { lastProgress = ContinuousClock.now }
        inFlight[packetID] = letter
        try client.flush()
    }

    /// Waits for news of the broker.
    /// - Returns: letters it has acked, and whether anybody listens to their topics.
    /// - Throws: also when it refuses one.
    mutating func acked() throws(MosquittoClient.Failure) -> [(letter: StoredLetter, isHeard: Bool)] {
        Self.waitReadable(client.socket)
        repeat { try client.readPacket() } while client.readableByteCount > 0
        try client.keepAlive()
        if client.wantsWrite { try client.flush() }
        var acked: [(letter: StoredLetter, isHeard: Bool)] = []
        var refusal: String?
        for (packetID, code) in intake.pointee.events.published ?? [] {
            guard let letter = inFlight.removeValue(forKey: packetID) else { continue }
            if code >= Self.firstFailure {
                refusal = "the broker refused \(letter.letter.topic): \(MosquittoClient.text(reasonCode: code, version: client.version))"
            } else {
                acked.append((letter, code != Self.nobodyListens))
            }
        }
        intake.pointee.events.published = []
        if acked.isEmpty, let refusal { throw MosquittoClient.Failure(refusal) }
        if !acked.isEmpty { lastProgress = ContinuousClock.now }
        guard ContinuousClock.now < lastProgress + Self.patience else { throw MosquittoClient.Failure("the broker acks nothing") }
        return acked
    }

    /// Says goodbye.
    mutating func close() throws(MosquittoClient.Failure) { try client.disconnect() }

    private static func waitReadable(_ socket: Int32) {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        poll(&descriptor, 1, 200)
    }
}
