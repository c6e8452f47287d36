import Dialects
import Telemetry

/// A subscription as ingest has it: a decoder, the notes of its commits, a clock that stands still.
final class Listener {
    /// 2025-11-24T16:00:00Z.
    var now = Timestamp(microseconds: 1_764_000_000_000_000)
    private(set) var notes: [String: [UInt8]]
    /// Of the last commit.
    private(set) var requests: [DialectEffects.Request] = []
    private(set) var sequenceGaps = 0
    private(set) var unknownAliases = 0
    private(set) var ignoredMetrics = 0
    private let shelf: Shelf
    private var decoder: PayloadDecoder

    /// What the decoder reads notes from.
    private final class Shelf {
        var notes: [String: [UInt8]] = [:]
    }

    init(_ options: DialectOptions, notes: [String: [UInt8]] = [:]) {
        let shelf = Shelf()
        shelf.notes = notes
        self.shelf = shelf
        self.notes = notes
        decoder = PayloadDecoder(options) { shelf.notes[$0] }
    }

    convenience init(_ format: PayloadFormat, notes: [String: [UInt8]] = [:], configure: (inout DialectOptions) -> Void = { _ in }) {
        var options = DialectOptions(format: format)
        configure(&options)
        self.init(options, notes: notes)
    }

    struct Heard {
        var readings: [Reading] = []
        var outcome: DecodeOutcome

        var rejection: Rejection? { if case .rejected(let rejection) = outcome { rejection } else { nil } }
        var isIgnored: Bool { if case .ignored = outcome { true } else { false } }
    }

    func hear(_ text: String, topic: String = "t", device: String? = nil, field: String? = nil, fields: [(String, String)] = []) -> Heard {
        hear(Array(text.utf8), topic: topic, device: device, field: field, fields: fields)
    }

    func hear(
        _ payload: [UInt8], topic: String = "t", device: String? = nil, field: String? = nil, fields: [(String, String)] = []
    ) -> Heard {
        var batch = ReadingBatch()
        let before = Reading(device: "before", time: nil, fields: ["x": .integer(1)])
        batch.append(before)
        let (topic, device, field) = (Bytes(topic), device.map { Bytes($0) }, field.map { Bytes($0) })
        let texts = fields.map { (Bytes($0.0), Bytes($0.1)) }
        let payload = Bytes(payload)
        let slots = texts.map { MessageOrigin.Field(name: $0.0.all, value: $0.1.all) }
        let outcome = slots.withUnsafeBufferPointer { slots in
            let origin = MessageOrigin(table: 3, device: device?.all, field: field?.all, fields: slots)
            return decoder.decode(
                InboundMessage(topic: topic.all, payload: payload.all, origin: origin, receiveTime: now), into: &batch)
        }
        withExtendedLifetime((topic, device, field, texts, payload)) {}
        // What stood in the batch before must stand there untouched.
        precondition(batch.reading(at: 0) == before)
        return Heard(readings: batch.rows.indices.dropFirst().map { batch.reading(at: $0) }, outcome: outcome)
    }

    /// The readings so far are on disk, and with them what the decoder asked to be kept.
    func commit() {
        let effects = decoder.takeEffects()
        for note in effects.notes { shelf.notes[note.source] = note.bytes.isEmpty ? nil : note.bytes }
        notes = shelf.notes
        requests = effects.requests
        sequenceGaps += effects.sequenceGaps
        unknownAliases += effects.unknownAliases
        ignoredMetrics += effects.ignoredMetrics
    }

    /// The commit failed: the messages come again.
    func forget() { decoder.forget() }
}

/// Bytes at an address of their own, with readable ones behind them.
private final class Bytes {
    private let memory: UnsafeMutableRawBufferPointer
    private let count: Int

    convenience init(_ text: String) { self.init(Array(text.utf8)) }

    init(_ bytes: [UInt8]) {
        count = bytes.count
        memory = .allocate(byteCount: bytes.count + JSONReadingDecoder.padding, alignment: 1)
        memory.copyBytes(from: bytes)
        for index in bytes.count..<memory.count { memory[index] = 0 }
    }

    deinit { memory.deallocate() }

    var all: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<count]) }
}

func milliseconds(_ count: Int64) -> Timestamp { Timestamp(microseconds: count * 1_000) }
