/// One connection of the run, whatever it speaks: takes what falls due from its feed, sends it, and records the answers.
///
/// A value owned by its worker's thread. Methods that touch the socket throw `.unavailable` when the connection broke, after which
/// `disconnect` and `reconnectIfDue` bring it back with everything unacknowledged sent again.
protocol LoadConnection: SendableMetatype {
    init(index: Int, options: LoadOptions)

    var index: Int { get }
    var feed: MessageFeed { get }
    /// Nil: not connected.
    var descriptor: Int32? { get }
    /// Bytes wait for room in the socket.
    var hasOutgoing: Bool { get }
    /// Nothing waits to be sent or acknowledged.
    var isIdle: Bool { get }
    /// Whether sending now is worth a write.
    var isWorthFilling: Bool { get }
    /// Sent and not acknowledged, second copies apart.
    var unacknowledged: [InFlightMessage] { get }
    /// Second copies sent on purpose.
    var repeatCount: Int { get }
    var republishedCount: Int { get }
    var reconnectCount: Int { get }

    /// Blocking.
    /// - Throws: `.unavailable`, `.refused`, or `.badPeer` when the port speaks something else.
    mutating func connect() throws(LoadError)
    /// Moves the feed's clock on, ns after the start.
    mutating func advance(elapsed: UInt64)
    /// Forgets the broken socket; what is in flight stays known.
    mutating func disconnect(now: UInt64, retryAtOnce: Bool)
    /// Tries again when its time has come, and sends everything unacknowledged again, in order.
    mutating func reconnectIfDue(now: UInt64) throws(LoadError)
    /// Sends what is due as far as window and socket let it.
    /// - Parameter start: start of the run, ns on the monotonic clock.
    mutating func publish(start: UInt64, now: UInt64) throws(LoadError)
    /// After the run's time is over: sends what the last request or packet left behind, and nothing else.
    mutating func publishRest(start: UInt64, now: UInt64) throws(LoadError)
    /// Writes what is waiting until it is gone or the socket is full.
    mutating func flush(now: UInt64) throws(LoadError)
    /// Takes every answer that has arrived.
    mutating func receive(into recorder: inout AckRecorder, now: UInt64) throws(LoadError)
    /// Whether poll(2) is to wake us only for many answers at once.
    mutating func setWaitsForAcksInBulk(_ isOn: Bool)
    mutating func keepAlive(now: UInt64) throws(LoadError)
    /// Says goodbye where the protocol has a word for it.
    mutating func close() throws(LoadError)
}
