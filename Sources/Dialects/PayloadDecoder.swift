import Telemetry

/// Turns the messages of one subscription into readings. One thread at a time; owns all memory that decoding needs.
package struct PayloadDecoder: ~Copyable {
    private let options: DialectOptions
    private var objects: ObjectReader
    private var value: ValueDialect
    private var state: StateDialect
    private var lines: LineProtocolDialect
    private var csv: CSVDialect
    private var homie: HomieDialect
    private var sparkplug: SparkplugDialect
    /// What the messages decoded since the last `takeEffects` ask for.
    private var effects = DialectEffects()

    /// - Parameter note: the newest durable note of a source, see `DialectEffects.Note`; asked when a dialect first needs it.
    package init(_ options: DialectOptions, note: @escaping (String) -> [UInt8]?) {
        self.options = options
        objects = ObjectReader(options)
        value = ValueDialect(options)
        state = StateDialect(options)
        lines = LineProtocolDialect(options)
        csv = CSVDialect(options)
        homie = HomieDialect(options, note: note)
        sparkplug = SparkplugDialect(options, note: note)
    }

    /// Appends the readings of one message: all of them, or none.
    package mutating func decode(_ message: InboundMessage, into batch: inout ReadingBatch) -> DecodeOutcome {
        guard message.payload.count <= Limits.payloadByteCount else { return .rejected(.payloadTooLong(message.payload.count)) }
        let firstRow = batch.count
        do throws(Rejection) {
            return try decode(message, as: options.format, into: &batch)
        } catch {
            batch.removeRows(from: firstRow)
            return .rejected(error)
        }
    }

    private mutating func decode(
        _ message: InboundMessage, as format: PayloadFormat, into batch: inout ReadingBatch
    ) throws(Rejection) -> DecodeOutcome {
        switch format {
        case .auto: try decodeGuessed(message, into: &batch)
        case .json: try objects.json(message, into: &batch)
        case .cbor: try objects.cbor(message, into: &batch)
        case .thingsboard: try objects.thingsboard(message, into: &batch)
        case .thingsboardGateway: try objects.thingsboardGateway(message, into: &batch)
        case .senml: try objects.senml(message, into: &batch)
        case .tasmota: try objects.tasmota(message, into: &batch)
        case .zigbee2mqtt: try objects.zigbee2mqtt(message, into: &batch)
        case .shelly: try objects.shelly(message, into: &batch)
        case .value: value.decode(message, into: &batch)
        case .state: state.decode(message, into: &batch)
        case .csv: csv.decode(message, into: &batch)
        case .lineProtocol: lines.decode(message, into: &batch)
        case .homie: homie.decode(message, into: &batch)
        case .sparkplugB: sparkplug.decode(message, into: &batch, effects: &effects)
        }
    }

    private mutating func decodeGuessed(_ message: InboundMessage, into batch: inout ReadingBatch) throws(Rejection) -> DecodeOutcome {
        let guess = objects.guess(topic: message.topic, payload: message.payload, isPadded: true)
        guard let format = guess.format else { throw Rejection(.undecodable, guess.reason.description) }
        return try decode(message, as: format, into: &batch)
    }

    /// What `auto` takes a message for. Depends on the two parameters only.
    package mutating func guess(topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) -> FormatGuess {
        objects.guess(topic: topic, payload: payload, isPadded: false)
    }

    /// Bytes of the notes that `takeEffects` will give, at most.
    package var noteByteCount: Int { homie.changedByteCount + sparkplug.noteByteCount }

    /// The effects of all messages since this was called last.
    package mutating func takeEffects() -> DialectEffects {
        homie.writeNotes(to: &effects)
        sparkplug.writeNotes(to: &effects)
        defer { effects = DialectEffects() }
        return effects
    }

    /// The messages since the last commit come again: forgets what was learnt from them.
    package mutating func forget() {
        effects = DialectEffects()
        homie.forget()
        sparkplug.forget()
    }
}
