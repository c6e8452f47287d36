import Telemetry

/// `sparkplug-b`: Eclipse Sparkplug 3.0, namespace `spBv1.0`. Devices are called `group/edge node` and `group/edge node/device`.
///
/// A birth explains the aliases of the data that follow it, and is kept in a note. Births and deaths are the device's state; the death of
/// an edge node is that of its devices, too. Data sets, templates, properties and commands are not stored.
struct SparkplugDialect: ~Copyable {
    /// Between two rebirths asked of one edge node: a birth of ten thousand tags takes some edge nodes many seconds.
    private static let requestInterval = TimeSpan.seconds(60)

    private var builder: ReadingBuilder
    private var memory: SparkplugMemory
    private var payload = SparkplugPayload()
    private var rows = SparkplugRows()
    private var id = ScratchBytes()

    init(_ options: DialectOptions, note: @escaping (String) -> [UInt8]?) {
        builder = ReadingBuilder(filter: FieldFilter(include: options.include, exclude: options.exclude))
        memory = SparkplugMemory(note: note)
    }

    mutating func forget() { memory.forget() }

    /// Of the notes that `writeNotes` will add, at most.
    var noteByteCount: Int { memory.changedByteCount }

    /// Adds the notes that the messages since the last call ask for.
    mutating func writeNotes(to effects: inout DialectEffects) { memory.writeNotes(to: &effects) }

    mutating func decode(_ message: InboundMessage, into batch: inout ReadingBatch, effects: inout DialectEffects) -> DecodeOutcome {
        guard let topic = SparkplugTopic(message.topic) else {
            return .rejected(Rejection(.unmatchedTopic, "not a topic of spBv1.0: \(excerpt(message.topic))"))
        }
        if topic.kind == .command { return .ignored("a command") }
        if topic.kind == .hostState { return .ignored("the state of a host application") }
        let firstRow = batch.count
        do throws(Rejection) {
            return try decode(message, topic, into: &batch, effects: &effects)
        } catch {
            batch.removeRows(from: firstRow)
            return .rejected(error)
        }
    }

    private mutating func decode(
        _ message: InboundMessage, _ topic: SparkplugTopic, into batch: inout ReadingBatch, effects: inout DialectEffects
    ) throws(Rejection) -> DecodeOutcome {
        // Before anything is remembered: a name that no reading can have would spoil every later death of its node.
        setID(topic)
        guard id.count <= Limits.deviceByteCount else { throw .deviceTooLong(id.count) }
        try payload.read(message.payload)
        let firstRow = batch.count
        // A node's message is about several devices: the topic's template does not say which.
        var anonymous = message.origin
        anonymous.device = nil
        builder.start(anonymous, in: batch)
        let node = try nodeNumber(topic)
        switch topic.kind {
        case .nodeDeath:
            guard try appendNodeDeath(node, to: &batch) else { return .ignored("the death of a session that is over") }
        case .deviceDeath:
            countSequence(of: node, in: &effects)
            setID(topic)
            try builder.appendState(isOnline: false, device: id.bytes, in: &batch)
        case .nodeBirth, .deviceBirth:
            try appendBirth(message, topic, node: node, to: &batch, effects: &effects)
        default:
            try appendData(message, topic, node: node, to: &batch, effects: &effects)
        }
        if batch.count > firstRow { return .readings(areTimedByReceipt: false) }
        return builder.emptiedCount > 0 ? .allExcluded : .ignored("no metric with a value that is stored")
    }

    // MARK: Births and deaths

    private mutating func appendBirth(
        _ message: InboundMessage, _ topic: SparkplugTopic, node: Int, to batch: inout ReadingBatch, effects: inout DialectEffects
    ) throws(Rejection) {
        let time = payload.timestamp ?? UInt64(clamping: message.receiveTime.microseconds.floorDivided(by: 1_000))
        let number = topic.device == nil ? node : try deviceNumber(topic)
        var birth = SparkplugGeneration(birthTime: time, session: topic.device == nil ? payload.birthDeathSequence : nil)
        if topic.device != nil { birth.nodeBirthTime = memory[node].current?.birthTime ?? 0 }
        for metric in payload.metrics {
            guard let name = metric.name else { throw Rejection(.undecodable, "a metric of a birth has no name") }
            try birth.add(name, .init(datatype: metric.datatype, alias: metric.alias))
        }
        if !memory[number].knows(birth) {
            try memory.add(birth, to: number)
            if topic.device == nil { memory.startSequence(payload.sequence, of: node) }
        }
        if let device = topic.device {
            countSequence(of: node, in: &effects)
            try memory.add(device: device, to: node)
        }
        setID(topic)
        try builder.appendState(isOnline: true, device: id.bytes, in: &batch)
        effects.ignoredMetrics += try rows.append(
            payload, explainedBy: nil, isBirth: true, device: id.bytes, to: &batch, builder: &builder)
    }

    /// The node and every device that it has had go offline.
    ///
    /// - Returns: false when a later session of the node has begun, of which this last will says nothing.
    private mutating func appendNodeDeath(_ node: Int, to batch: inout ReadingBatch) throws(Rejection) -> Bool {
        let source = memory[node]
        if let session = source.session, let ended = payload.birthDeathSequence, session != ended { return false }
        try builder.appendState(isOnline: false, device: id.bytes, in: &batch)
        let nodeByteCount = id.count
        for number in 0..<source.devices.count {
            id.pop(to: nodeByteCount)
            id.append(UInt8(ascii: "/"))
            source.devices.append(number, to: &id)
            try builder.appendState(isOnline: false, device: id.bytes, in: &batch)
        }
        memory.startSequence(nil, of: node)
        return true
    }

    // MARK: Data

    private mutating func appendData(
        _ message: InboundMessage, _ topic: SparkplugTopic, node: Int, to batch: inout ReadingBatch, effects: inout DialectEffects
    ) throws(Rejection) {
        let time = payload.timestamp
        let nodeBirth = memory[node].current?.birthTime
        // What was sent before the newest birth belongs to a count that is over.
        let isOfThisSession = nodeBirth.flatMap { birth in time.map { $0 >= birth } } ?? true
        if isOfThisSession { countSequence(of: node, in: &effects) }
        let number = topic.device == nil ? node : try deviceNumber(topic)
        var generation = memory[number].generation(at: time)
        // Since its node's birth the device has to be born, too: its aliases may mean other metrics now.
        if topic.device != nil, isOfThisSession, time != nil, let birth = nodeBirth, let own = generation,
            max(own.birthTime, own.nodeBirthTime) < birth
        {
            generation = nil
        }
        setID(topic)
        let unknown = payload.metrics.count { $0.isUnknown(in: generation) }
        guard unknown == 0 else {
            effects.unknownAliases += unknown
            requestRebirth(at: message.receiveTime, topic, node: node, effects: &effects)
            throw Rejection(.undecodable, "\(unknown) metrics that no birth of \(excerpt(id.bytes)) explains")
        }
        _ = try rows.append(payload, explainedBy: generation, isBirth: false, device: id.bytes, to: &batch, builder: &builder)
    }

    private mutating func requestRebirth(at time: Timestamp, _ topic: SparkplugTopic, node: Int, effects: inout DialectEffects) {
        guard memory.mayRequest(at: time, of: node, interval: Self.requestInterval) else { return }
        let start: [StaticString] = ["spBv1.0/", "/NCMD/"]
        let name =
            Array(UnsafeRawBufferPointer(start[0])) + Array(topic.group) + Array(UnsafeRawBufferPointer(start[1])) + Array(topic.edgeNode)
        effects.requests.append(DialectEffects.Request(topic: name, payload: SparkplugPayload.rebirth(at: time)))
    }

    private mutating func countSequence(of node: Int, in effects: inout DialectEffects) {
        effects.sequenceGaps += memory.count(payload.sequence, of: node)
    }

    // MARK: Names

    /// The edge node of a topic; its id stays in `id`.
    private mutating func nodeNumber(_ topic: SparkplugTopic) throws(Rejection) -> Int {
        setID(topic, withDevice: false)
        return try memory.number(of: id.bytes)
    }

    private mutating func deviceNumber(_ topic: SparkplugTopic) throws(Rejection) -> Int {
        setID(topic)
        return try memory.number(of: id.bytes)
    }

    /// `group/edge node`, or with the device behind it.
    private mutating func setID(_ topic: SparkplugTopic, withDevice: Bool = true) {
        id.removeAll()
        id.append(topic.group)
        id.append(UInt8(ascii: "/"))
        id.append(topic.edgeNode)
        guard withDevice, let device = topic.device else { return }
        id.append(UInt8(ascii: "/"))
        id.append(device)
    }
}
