import CMosquitto
import Glibc
import Telemetry

/// One libmosquitto client. Single owner, one thread: libmosquitto is told that the loop runs elsewhere
/// (`mosquitto_threaded_set`), so that acks are queued by `readPacket` and leave only in `flush`.
struct MosquittoClient: ~Copyable {
    enum Version: Int32 {
        case v5 = 5
        case v311 = 4
    }

    /// A call failed; the text says which and why.
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }

        init(_ code: Int32, _ what: String) {
            let text = code == MOSQ_ERR_ERRNO.rawValue.signed ? strerror(errno) : UnsafeMutablePointer(mutating: mosquitto_strerror(code))
            description = "\(what): \(text.map { String(cString: $0) } ?? "error \(code)")"
        }
    }

    private let handle: OpaquePointer
    let version: Version

    /// - Parameter intake: outlives the client; the library's callbacks write to it from `readPacket`.
    init(id: String, version: Version, intake: UnsafeMutablePointer<MessageIntake>) throws(Failure) {
        _ = Self.isLibraryReady
        guard let handle = mosquitto_new(id, false, intake) else {
            throw Failure("mosquitto_new: \(String(cString: strerror(errno)))")
        }
        self.handle = handle
        self.version = version
        setCallbacks()
    }

    private func setOptions() throws(Failure) {
        try check(mosquitto_threaded_set(handle, true), "threaded mode")
        try check(mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, version.rawValue), "protocol version")
        // The window of unacked messages, and so the largest batch: the broker's default of 20 would cap every commit at 20.
        try check(mosquitto_int_option(handle, MOSQ_OPT_RECEIVE_MAXIMUM, 65_535), "receive maximum")
        try check(mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1), "TCP_NODELAY")
    }

    /// Sends nothing: closes the connection without a DISCONNECT, so queued acks are gone and the session lives on.
    deinit { mosquitto_destroy(handle) }

    private static let isLibraryReady: Bool = mosquitto_lib_init() == MOSQ_ERR_SUCCESS.rawValue.signed

    /// Opens the TCP or TLS connection and queues CONNECT. Blocks as long as the kernel tries.
    mutating func connect(_ options: MQTTOptions) throws(Failure) {
        try setOptions()
        if options.username != nil || options.password != nil {
            try check(mosquitto_username_pw_set(handle, options.username, options.password), "user name")
        }
        if let tls = options.tls { try setTLS(tls) }
        var properties: OpaquePointer?
        defer { mosquitto_property_free_all(&properties) }
        if version == .v5 {
            let seconds = UInt32(clamping: options.sessionExpiry.microseconds / 1_000_000)
            let identifier = Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue)
            try check(mosquitto_property_add_int32(&properties, identifier, seconds), "session expiry")
        }
        let keepAlive = Int32(clamping: options.keepAlive.microseconds / 1_000_000)
        let code = mosquitto_connect_bind_v5(handle, options.host, Int32(clamping: options.port), keepAlive, nil, properties)
        try check(code, "\(options.host):\(options.port)")
    }

    /// The library checks that the certificate is the host's unless told otherwise; nobody tells it.
    private func setTLS(_ tls: MQTTOptions.TLS) throws(Failure) {
        if tls.caFile == nil { try check(mosquitto_int_option(handle, MOSQ_OPT_TLS_USE_OS_CERTS, 1), "system certificates") }
        // Without certificates of its own to trust, the library wants a directory to look into.
        let directory = tls.caFile == nil ? Self.systemCertificates : nil
        try check(mosquitto_tls_set(handle, tls.caFile, directory, tls.certificateFile, tls.keyFile, nil), "TLS files")
        try check(mosquitto_tls_opts_set(handle, 1, "tlsv1.2", nil), "TLS version")
    }

    private static let systemCertificates = "/etc/ssl/certs"

    /// Queues SUBSCRIBE.
    /// - Parameter identifier: marks the messages of this filter; for brokers that take it.
    /// - Returns: packet id that the broker's answer carries.
    mutating func subscribe(_ filter: String, qos: Int, identifier: UInt32? = nil) throws(Failure) -> Int32 {
        var packetID: Int32 = 0
        var properties: OpaquePointer?
        defer { mosquitto_property_free_all(&properties) }
        if let identifier {
            let property = Int32(MQTT_PROP_SUBSCRIPTION_IDENTIFIER.rawValue)
            try check(mosquitto_property_add_varint(&properties, property, identifier), "subscription identifier")
        }
        // Resubscribing must not replay every retained message; 3.1.1 has no such option.
        let options = version == .v5 ? Int32(MQTT_SUB_OPT_SEND_RETAIN_NEW.rawValue) : 0
        try check(mosquitto_subscribe_v5(handle, &packetID, filter, Int32(qos), options, properties), "subscribe \(filter)")
        return packetID
    }

    /// Queues UNSUBSCRIBE.
    /// - Returns: packet id that the broker's answer carries.
    mutating func unsubscribe(_ filter: String) throws(Failure) -> Int32 {
        var packetID: Int32 = 0
        try check(mosquitto_unsubscribe_v5(handle, &packetID, filter, nil), "unsubscribe \(filter)")
        return packetID
    }

    /// Queues PUBLISH at QoS 0, not retained.
    mutating func publish(topic: [UInt8], payload: [UInt8]) throws(Failure) {
        let name = String(decoding: topic, as: UTF8.self)
        try check(mosquitto_publish_v5(handle, nil, name, Int32(payload.count), payload, 0, false, nil), "publish \(name)")
    }

    /// Queues PUBLISH at QoS 1, not retained.
    /// - Returns: packet id; `BrokerEvents.published` tells of its ack.
    mutating func publishAcked(topic: String, payload: [UInt8]) throws(Failure) -> Int32 {
        var packetID: Int32 = 0
        try check(mosquitto_publish_v5(handle, &packetID, topic, Int32(payload.count), payload, 1, false, nil), "publish \(topic)")
        return packetID
    }

    var socket: Int32 { mosquitto_socket(handle) }
    var wantsWrite: Bool { mosquitto_want_write(handle) }

    /// Reads at most one packet that has arrived and calls back for it. Returns at once when there is none.
    ///
    /// With TLS the library reads on while there is more of a record, and the last packet may draw the next record in; but its loop ends
    /// where `errno` says that the socket has nothing more, which the message's callback makes it say.
    /// Source: libmosquitto 2.0.11, lib/loop.c:392-404; held by SecurityTests.
    mutating func readPacket() throws(Failure) { try check(mosquitto_loop_read(handle, 1), "connection") }

    /// Bytes that wait in the socket; above zero does not mean a whole packet.
    var readableByteCount: Int {
        var count: Int32 = 0
        return ioctl(socket, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    /// Queues a ping when it is time, and notices a broker that has fallen silent.
    mutating func keepAlive() throws(Failure) { try check(mosquitto_loop_misc(handle), "connection") }

    /// Writes everything that is queued: acks of every message read so far included. The caller has committed them.
    ///
    /// The library writes one packet per `send`; corked, hundreds of acks leave as one segment (3 times the rate end to end).
    mutating func flush() throws(Failure) {
        setCork(1)
        defer { setCork(0) }
        let deadline = ContinuousClock.now + .seconds(10)
        while wantsWrite {
            try check(mosquitto_loop_write(handle, 1), "connection")
            guard wantsWrite else { return }
            guard ContinuousClock.now < deadline else { throw Failure("connection: the broker takes no bytes") }
            var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
            poll(&descriptor, 1, 1_000)
        }
    }

    /// Says goodbye; everything queued leaves with it: only with nothing uncommitted in hand.
    /// - Parameter endsSession: the broker forgets the session, if it speaks v5.
    mutating func disconnect(endsSession: Bool = false) throws(Failure) {
        var properties: OpaquePointer?
        defer { mosquitto_property_free_all(&properties) }
        if endsSession, version == .v5 {
            let identifier = Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue)
            try check(mosquitto_property_add_int32(&properties, identifier, 0), "session expiry")
        }
        try check(mosquitto_disconnect_v5(handle, 0, properties), "disconnect")
        try flush()
    }

    private func setCork(_ value: Int32) {
        var value = value
        // Best effort: without it, each ack is a segment of its own.
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private func check(_ code: Int32, _ what: String) throws(Failure) {
        guard code == MOSQ_ERR_SUCCESS.rawValue.signed else { throw Failure(code, what) }
    }

    /// The callbacks run inside `readPacket`, on the caller's thread. Message memory dies when they return.
    private func setCallbacks() {
        mosquitto_message_v5_callback_set(handle) { _, context, message, properties in
            guard let intake = context?.assumingMemoryBound(to: MessageIntake.self), let message else { return }
            if intake.pointee.subscriptionIdentifiers != nil {
                MosquittoClient.readIdentifiers(from: properties, into: &intake.pointee.messageIdentifiers)
            }
            let (topic, count) = (message.pointee.topic, Int(message.pointee.payloadlen))
            intake.pointee.receive(
                topic: UnsafeRawBufferPointer(start: topic, count: topic.map { strlen($0) } ?? 0),
                payload: UnsafeRawBufferPointer(start: message.pointee.payload, count: count),
                packetID: UInt16(truncatingIfNeeded: message.pointee.mid), isRetained: message.pointee.retain)
            errno = EAGAIN
        }
        mosquitto_connect_v5_callback_set(handle) { _, context, code, flags, properties in
            let intake = context?.assumingMemoryBound(to: MessageIntake.self)
            // Brokers that take identifiers need not say so.
            var takesIdentifiers: UInt8 = 1
            mosquitto_property_read_byte(properties, Int32(MQTT_PROP_SUBSCRIPTION_ID_AVAILABLE.rawValue), &takesIdentifiers, false)
            intake?.pointee.events.connected = .init(
                reasonCode: code, isSessionPresent: flags & 1 != 0, takesIdentifiers: takesIdentifiers != 0)
        }
        mosquitto_disconnect_v5_callback_set(handle) { _, context, code, _ in
            context?.assumingMemoryBound(to: MessageIntake.self).pointee.events.disconnectReason = code
        }
        mosquitto_publish_v5_callback_set(handle) { _, context, packetID, code, _ in
            context?.assumingMemoryBound(to: MessageIntake.self).pointee.events.published?.append((packetID, code))
        }
        mosquitto_subscribe_callback_set(handle) { _, context, packetID, count, codes in
            guard let codes, count > 0, let intake = context?.assumingMemoryBound(to: MessageIntake.self) else { return }
            let isFull = intake.pointee.events.askedQoS.removeValue(forKey: packetID).map { $0 == codes[0] }
            intake.pointee.events.answers.append(.init(packetID: packetID, code: codes[0], isFull: isFull))
            // At once: what is read behind it may have been sent for the other filters alone.
            if isFull == false { intake.pointee.subscriptionIdentifiers = nil }
        }
        mosquitto_unsubscribe_callback_set(handle) { _, context, packetID in
            context?.assumingMemoryBound(to: MessageIntake.self).pointee.events.answers.append(.init(packetID: packetID, code: 0))
        }
    }
}

extension MosquittoClient {
    private static func readIdentifiers(from properties: OpaquePointer?, into identifiers: inout [UInt32]) {
        identifiers.removeAll(keepingCapacity: true)
        let name = Int32(MQTT_PROP_SUBSCRIPTION_IDENTIFIER.rawValue)
        var value: UInt32 = 0
        var next = mosquitto_property_read_varint(properties, name, &value, false)
        while let property = next {
            identifiers.append(value)
            next = mosquitto_property_read_varint(property, name, &value, true)
        }
    }

    /// A CONNACK's or DISCONNECT's reason, in words.
    static func text(reasonCode: Int32, version: Version) -> String {
        String(cString: version == .v5 || reasonCode >= 128 ? mosquitto_reason_string(reasonCode) : mosquitto_connack_string(reasonCode))
    }
}

extension BinaryInteger {
    /// C enumerations arrive signed or unsigned, as the compiler chose.
    var signed: Int32 { Int32(truncatingIfNeeded: self) }
}
