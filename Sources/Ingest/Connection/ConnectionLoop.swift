import Dialects
import Glibc
import Logging
import Synchronization
import Telemetry
import TelemetryStore

/// One connection to the broker, on its own thread, from the first attempt until it is stopped.
///
/// 1. Poll the socket; read packets until it is drained or the batch is full. The library queues an ack for each message.
/// 2. Commit the batch; append the dead letters.
/// 3. Only now write: the queued acks leave, corked. The batch is forgotten.
///
/// A crash or a lost connection before 3 leaves the messages with the broker, which delivers them again; the store tells that it has them.
/// **Nothing is written, and nobody disconnects, while a message in hand is not committed.** When the store refuses for longer than
/// `MQTTOptions.commitRetry`, the client is destroyed, which sends nothing.
/// Source: libmosquitto 2.0.11, lib/handle_publish.c:140, lib/packet_mosq.c:187; undocumented, held by DeferredAckTests.
struct ConnectionLoop: ~Copyable {
    /// Why a session ended, other than by `stop`.
    enum SessionEnd: Error {
        case lost(String)
        /// The broker speaks 3.1.1 only.
        case unsupportedVersion
        case storeRefuses(String)
        case fatal(StoreError)
    }

    /// Time to read into one batch: bounds the age of an ack under a flood.
    private static let readTime: Duration = .milliseconds(20)
    private static let connackTime: Duration = .seconds(10)
    /// What has arrived when a batch is worth a commit at once, bytes.
    private static let worthwhileByteCount = 64 << 10
    /// Between looks at the keep-alive of a silent connection.
    private static let idleTime: Duration = .seconds(1)
    /// Between looks whether other connections have taken over what this one gives up.
    private static let handOverTime: Duration = .milliseconds(20)
    /// A connection that lasted this long was a good one: the next attempt comes at once.
    private static let stableTime: Duration = .seconds(10)

    private(set) var settings: ConnectionSettings
    let path: CommitPath
    let deadLetters: DeadLetterFile
    let counters: IngestCounters
    let control: ConnectionControl
    var log: ConnectionLog
    let intake: UnsafeMutablePointer<MessageIntake>
    var redelivery: RedeliveryMemory
    var hasLostDeadLetters = false
    var requests: [DialectEffects.Request] = []
    private var backOff = BackOff()
    private var version = MosquittoClient.Version.v5
    private var silentRefusals = 0
    private var connectionCount = 0
    var subscribing = Subscribing()
    /// Connected, and the broker has answered every subscription: what is published from now on arrives.
    private var isUp = false
    /// The last batch was full, or its time over: not all that has arrived is read.
    private var hasLeftMessages = false
    var nextCommit = ContinuousClock.now

    init(
        settings: ConnectionSettings, routes: [TopicRoute], path: CommitPath, deadLetters: DeadLetterFile, counters: IngestCounters,
        control: ConnectionControl, logger: Logger
    ) {
        self.settings = settings
        self.path = path
        self.deadLetters = deadLetters
        self.counters = counters
        self.control = control
        log = ConnectionLog(settings, logger: logger)
        intake = .allocate(capacity: 1)
        intake.initialize(to: MessageIntake(routes: routes, clock: path.clock, state: path.state))
        let note = path.note(settings.noteSource)
        redelivery = RedeliveryMemory()
        if let note {
            if let memory = RedeliveryMemory(note: note) {
                redelivery = memory
            } else {
                log.problem("the note of the last commit is not readable; redelivered messages without a time count as new ones")
            }
        }
        trustNotedIdentifiers()
    }

    deinit {
        intake.deinitialize(count: 1)
        intake.deallocate()
    }

    /// Returns when stopped (nil), or when the store has failed for good.
    mutating func run() -> StoreError? {
        while !control.stop.isSet {
            takeNextSettings()
            do throws(SessionEnd) {
                try session()
                return nil
            } catch {
                intake.pointee.abandon()
                redelivery.restart()
                switch error {
                case .fatal(let error):
                    counters.setLastError(error.description)
                    log.fatal(error.description)
                    return error
                case .unsupportedVersion:
                    version = .v311
                    continue
                case .lost(let reason):
                    counters.setLastError(reason)
                    log.down(reason)
                case .storeRefuses(let reason):
                    counters.setLastError(reason)
                    log.storeRefuses(reason)
                }
            }
            control.stop.wait(for: backOff.delay())
        }
        return nil
    }

    /// From connecting to the end of the connection; returns only when stopped.
    private mutating func session() throws(SessionEnd) {
        intake.pointee.events = BrokerEvents()
        var client = try open()
        // Whoever comes next may have the session already.
        guard !control.stop.isSet else { return }
        guard let connected = try awaitConnected(&client) else { return }
        let start = ContinuousClock.now
        if connectionCount > 0 { counters.reconnects.add(1, ordering: .relaxed) }
        connectionCount += 1
        redelivery.connected(isSessionPresent: connected.isSessionPresent)
        subscribing.takesIdentifiers = version == .v5 && connected.takesIdentifiers
        log.connected(version: version, isSessionPresent: connected.isSessionPresent)
        defer {
            setUp(false)
            if ContinuousClock.now - start > Self.stableTime { backOff.reset() }
            // The broker may have learnt v5 since.
            version = .v5
        }
        try subscribe(&client, isNewSession: !connected.isSessionPresent)
        try serve(&client)
    }

    mutating func setUp(_ isUp: Bool) {
        guard isUp != self.isUp else { return }
        self.isUp = isUp
        counters.setUp(settings.clientID, isUp)
    }

    private mutating func open() throws(SessionEnd) -> MosquittoClient {
        control.isConnecting.store(true, ordering: .releasing)
        defer { control.isConnecting.store(false, ordering: .releasing) }
        do {
            var client = try MosquittoClient(id: settings.clientID, version: version, intake: intake)
            try client.connect(settings.options)
            return client
        } catch {
            throw .lost(error.description)
        }
    }

    /// Nil when stopped meanwhile.
    private mutating func awaitConnected(_ client: inout MosquittoClient) throws(SessionEnd) -> BrokerEvents.Connected? {
        let deadline = ContinuousClock.now + Self.connackTime
        var failure: MosquittoClient.Failure?
        do { try client.flush() } catch { failure = error }
        while failure == nil, intake.pointee.events.connected == nil, !control.stop.isSet {
            guard ContinuousClock.now < deadline else { throw .lost("\(settings.broker): no answer to CONNECT") }
            control.stop.wait(orReadable: client.socket, for: .milliseconds(500))
            do {
                try client.readPacket()
                // TLS handshakes write in between. Behind the CONNACK messages may have come in the same breath: not acked yet.
                if intake.pointee.events.connected == nil, intake.pointee.isEmpty { try client.flush() }
            } catch { failure = error }
        }
        guard let connected = intake.pointee.events.connected else {
            guard let failure else { return nil }
            // Old brokers close the connection on a protocol they do not know; so do brokers that just stop.
            silentRefusals += 1
            if version == .v5, silentRefusals.isMultiple(of: 2) { throw .unsupportedVersion }
            version = .v5
            throw .lost("closed before CONNACK: \(failure.description)")
        }
        silentRefusals = 0
        let code = connected.reasonCode
        if version == .v5, code == Self.unsupportedVersionV5 || code == Self.unsupportedVersionV311 { throw .unsupportedVersion }
        guard code == 0 else {
            throw .lost("\(settings.broker) refused the connection: \(MosquittoClient.text(reasonCode: code, version: version))")
        }
        return connected
    }

    // CONNACK codes of MQTT 5.0 §3.2.2.2 and 3.1.1 §3.2.2.3, "unacceptable protocol version".
    private static let unsupportedVersionV5: Int32 = 132
    private static let unsupportedVersionV311: Int32 = 1

    /// Settings that were changed since, if any.
    /// - Precondition: nothing is in hand.
    @discardableResult
    private mutating func takeNextSettings() -> Bool {
        let taken = control.nextSettings.withLock { next in
            defer { next = nil }
            return next
        }
        guard let next = taken, next != settings else { return false }
        do throws(MQTTIngest.InvalidSubscription) {
            intake.pointee.setRoutes(try next.routes(path))
            settings = next
            trustNotedIdentifiers()
        } catch {
            preconditionFailure("checked before it was handed over: \(error)")
        }
        return true
    }

    /// Returns when stopped, with everything acked.
    private mutating func serve(_ client: inout MosquittoClient) throws(SessionEnd) {
        while true {
            awaitCompany(client)
            let failure = read(from: &client)
            if !intake.pointee.isEmpty { noteActivity() }
            // Also after the connection is gone: what came at QoS 0 comes only once.
            try commitInHand()
            if failure == nil {
                try checkEvents(&client)
                if takeNextSettings() { try subscribe(&client) }
                if try endIfDrained(&client) { return }
            }
            do throws(MosquittoClient.Failure) {
                if let failure { throw failure }
                try client.keepAlive()
                precondition(intake.pointee.isEmpty, "an ack must not leave before its message is committed")
                try publishRequests(&client)
                if client.wantsWrite { try client.flush() }
                if control.stop.isSet { return try client.disconnect() }
            } catch {
                throw .lost(lossText(error))
            }
            // What TLS has decrypted already does not make the socket readable.
            if hasLeftMessages, settings.options.tls != nil { continue }
            control.stop.wait(
                orReadable: client.socket, for: subscribing.isAboutToUnsubscribe ? Self.handOverTime : Self.idleTime)
        }
    }

    /// Under load, lets messages gather until `commitInterval` after the last commit. A message that comes alone never waits.
    ///
    /// Each commit costs a sync and several thread switches, 50–100 µs of CPU; a batch of a hundred messages makes that one each.
    private func awaitCompany(_ client: borrowing MosquittoClient) {
        let rest = nextCommit - ContinuousClock.now
        guard rest > .zero, client.readableByteCount < Self.worthwhileByteCount else { return }
        usleep(UInt32(rest / .microseconds(1)))
    }

    /// Reads messages into the intake until nothing more has arrived, the batch is full, or its time is over.
    private mutating func read(from client: inout MosquittoClient) -> MosquittoClient.Failure? {
        let isEncrypted = settings.options.tls != nil
        let deadline = ContinuousClock.now + Self.readTime
        var fruitless = 0
        hasLeftMessages = true
        while !intake.pointee.isFull {
            let count = intake.pointee.receivedCount
            do { try client.readPacket() } catch { return error }
            if intake.pointee.receivedCount > count {
                fruitless = 0
                if count % 32 == 31, ContinuousClock.now > deadline { return nil }
                continue
            }
            // Nothing, part of a packet, or a packet that is no message. The socket does not tell what TLS has decrypted already.
            fruitless += 1
            if isEncrypted ? fruitless == 3 : fruitless == 2 || client.readableByteCount == 0 {
                hasLeftMessages = false
                return nil
            }
        }
        return nil
    }

    /// What formats ask of devices; nobody waits for it.
    private mutating func publishRequests(_ client: inout MosquittoClient) throws(MosquittoClient.Failure) {
        for request in requests { try client.publish(topic: request.topic, payload: request.payload) }
        requests.removeAll()
    }

    private func lossText(_ failure: MosquittoClient.Failure) -> String {
        guard let reason = intake.pointee.events.disconnectReason, reason > 0 else { return failure.description }
        return "\(failure.description) (\(MosquittoClient.text(reasonCode: reason, version: version)))"
    }
}
