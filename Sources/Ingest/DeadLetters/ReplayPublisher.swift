import Glibc

/// A short-lived connection to the broker that publishes letters and hears of their acks.
struct ReplayPublisher: ~Copyable {
    /// What a broker has to say within this time, before it counts as gone.
    private static let patience: Duration = .seconds(30)
    /// PUBACK codes of MQTT 5.0 §3.4.2.1: nobody is subscribed; from 0x80 on, refused.
    static let nobodyListens: Int32 = 0x10
    private static let firstFailure: Int32 = 0x80
    /// CONNACK codes of MQTT 5.0 §3.2.2.2 and 3.1.1 §3.2.2.3, "unacceptable protocol version".
    private static let unsupportedVersion: Set<Int32> = [132, 1]

    /// What the broker said to a letter.
    enum Answer {
        case taken
        /// Taken, but nobody is subscribed to the topic.
        case unheard
        case refused(String)
    }

    private enum ConnectFailure: Error {
        /// The broker speaks an older version; or it just closed the connection, as old ones do.
        case version(MosquittoClient.Failure)
        case other(MosquittoClient.Failure)

        var failure: MosquittoClient.Failure {
            switch self {
            case .version(let failure), .other(let failure): failure
            }
        }
    }

    private var client: MosquittoClient
    private let intake: UnsafeMutablePointer<MessageIntake>
    private var inFlight: [Int32: StoredLetter] = [:]
    private var lastProgress = ContinuousClock.now
    /// Why the connection is over; told when all answers were.
    private var failure: MosquittoClient.Failure?

    var inFlightCount: Int { inFlight.count }

    /// Connects, with MQTT 3.1.1 where the broker speaks nothing newer.
    /// - Parameter intake: outlives the publisher; the client's callbacks write to it.
    init(_ options: MQTTOptions, intake: UnsafeMutablePointer<MessageIntake>) throws(MosquittoClient.Failure) {
        self.intake = intake
        do throws(ConnectFailure) {
            client = try Self.connect(options, .v5, intake)
        } catch .version {
            do throws(ConnectFailure) { client = try Self.connect(options, .v311, intake) } catch { throw error.failure }
        } catch {
            throw error.failure
        }
    }

    private static func connect(
        _ options: MQTTOptions, _ version: MosquittoClient.Version, _ intake: UnsafeMutablePointer<MessageIntake>
    ) throws(ConnectFailure) -> MosquittoClient {
        intake.pointee.events = BrokerEvents()
        intake.pointee.events.published = []
        var client: MosquittoClient
        do throws(MosquittoClient.Failure) {
            client = try open(options, version, intake)
        } catch {
            throw .other(error)
        }
        do throws(MosquittoClient.Failure) {
            try awaitAnswer(&client, intake)
        } catch {
            // A version that a broker does not know is answered, or the connection closed without a word.
            guard let code = intake.pointee.events.connected?.reasonCode else { throw .version(error) }
            // The library closes a refused connection.
            guard code != 0 else { throw .other(error) }
        }
        guard let code = intake.pointee.events.connected?.reasonCode else { throw .other(.init("no answer to CONNECT")) }
        guard code == 0 else {
            let failure = refusal(code, version)
            throw version == .v5 && unsupportedVersion.contains(code) ? .version(failure) : .other(failure)
        }
        return client
    }

    private static func open(
        _ options: MQTTOptions, _ version: MosquittoClient.Version, _ intake: UnsafeMutablePointer<MessageIntake>
    ) throws(MosquittoClient.Failure) -> MosquittoClient {
        var client = try MosquittoClient(id: options.clientID, version: version, intake: intake)
        try client.connect(options)
        return client
    }

    /// Returns without an answer when there is none for too long.
    private static func awaitAnswer(
        _ client: inout MosquittoClient, _ intake: UnsafeMutablePointer<MessageIntake>
    ) throws(MosquittoClient.Failure) {
        try client.flush()
        let deadline = ContinuousClock.now + patience
        while intake.pointee.events.connected == nil, ContinuousClock.now < deadline {
            waitReadable(client.socket)
            try client.readPacket()
            // TLS handshakes write in between.
            if intake.pointee.events.connected == nil { try client.flush() }
        }
    }

    private static func refusal(_ code: Int32, _ version: MosquittoClient.Version) -> MosquittoClient.Failure {
        .init("the broker refused the connection: \(MosquittoClient.text(reasonCode: code, version: version))")
    }

    mutating func send(_ letter: StoredLetter) throws(MosquittoClient.Failure) {
        let packetID = try client.publishAcked(topic: letter.letter.topic, payload: letter.letter.payload)
        if inFlight.isEmpty { lastProgress = ContinuousClock.now }
        inFlight[packetID] = letter
        try client.flush()
    }

    /// Waits for news of the broker.
    /// - Returns: letters it has answered, and what.
    /// - Throws: when the connection is over and all that came before was returned.
    mutating func answers() throws(MosquittoClient.Failure) -> [(letter: StoredLetter, answer: Answer)] {
        if let failure { throw failure }
        do throws(MosquittoClient.Failure) { try hear() } catch { failure = error }
        var answers: [(letter: StoredLetter, answer: Answer)] = []
        for (packetID, code) in intake.pointee.events.published ?? [] {
            guard let letter = inFlight.removeValue(forKey: packetID) else { continue }
            answers.append((letter, answer(code, to: letter)))
        }
        intake.pointee.events.published = []
        if !answers.isEmpty { lastProgress = ContinuousClock.now }
        guard ContinuousClock.now < lastProgress + Self.patience else { throw MosquittoClient.Failure("the broker acks nothing") }
        return answers
    }

    private mutating func hear() throws(MosquittoClient.Failure) {
        Self.waitReadable(client.socket)
        repeat { try client.readPacket() } while client.readableByteCount > 0
        try client.keepAlive()
        if client.wantsWrite { try client.flush() }
    }

    private func answer(_ code: Int32, to letter: StoredLetter) -> Answer {
        guard code < Self.firstFailure else {
            return .refused("the broker refused \(letter.letter.topic): \(MosquittoClient.text(reasonCode: code, version: client.version))")
        }
        return code == Self.nobodyListens ? .unheard : .taken
    }

    /// Says goodbye.
    mutating func close() throws(MosquittoClient.Failure) { try client.disconnect() }

    private static func waitReadable(_ socket: Int32) {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        poll(&descriptor, 1, 200)
    }
}
