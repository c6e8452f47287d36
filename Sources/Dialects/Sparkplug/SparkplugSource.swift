import Telemetry
import TelemetryCodec

/// What is known of an edge node or a device of one. Two births are kept, because data from before the newest may be delivered again
/// after it.
struct SparkplugSource {
    /// Newest first.
    private(set) var generations: [SparkplugGeneration] = []
    /// Of an edge node: names of the devices that it has had.
    private(set) var devices = NameIndex()

    // Not in the note.

    /// Number of the newest message, 0...255; nil: the next one starts the count.
    var sequence: UInt8?
    /// When a rebirth was asked for last.
    var requestTime: Timestamp?

    static let generationLimit = 2
    /// Devices of one edge node.
    static let deviceLimit = 8_192

    init() {}

    var current: SparkplugGeneration? { generations.first }

    /// Of an edge node: the number of its session, from its newest birth.
    var session: UInt64? { current?.session }

    var byteCount: Int { generations.reduce(256 + devices.byteCount) { $0 + $1.byteCount } }

    /// At most what its note takes.
    var noteByteCount: Int { generations.reduce(32 + devices.nameByteCount + 2 * devices.count) { $0 + $1.noteByteCount } }

    /// Whether this birth is one of those kept: it was delivered again. Its time alone does not tell: a clock may stand still.
    func knows(_ birth: SparkplugGeneration) -> Bool { generations.contains { $0.isSame(as: birth) } }

    /// With this birth as the newest.
    mutating func add(_ generation: SparkplugGeneration) {
        generations.insert(generation, at: 0)
        if generations.count > Self.generationLimit { generations.removeLast() }
    }

    /// - Returns: false when the device was known.
    mutating func add(device: UnsafeRawBufferPointer) throws(Rejection) -> Bool {
        if devices.find(device) != nil { return false }
        guard devices.count < Self.deviceLimit else {
            throw Rejection(.deviceLimit, "more than \(Self.deviceLimit) devices of one edge node")
        }
        _ = devices.insert(device)
        return true
    }

    /// The birth that explains data of this time: the newest one, unless the data is older than that and not older than the one before.
    func generation(at time: UInt64?) -> SparkplugGeneration? {
        guard let time, let newest = current, time < newest.birthTime, generations.count > 1 else { return current }
        return generations[1].birthTime <= time ? generations[1] : newest
    }

    /// Counts a message of the edge node.
    ///
    /// - Returns: how many are missing before it. An earlier one, delivered again, misses none.
    mutating func count(_ number: UInt64) -> Int {
        guard let number = UInt8(exactly: number) else { return 0 }
        guard let last = sequence else {
            sequence = number
            return 0
        }
        let missing = number &- last &- 1
        guard missing < 128 else { return 0 }
        sequence = number
        return Int(missing)
    }
}

/// The note of a source, docs/format/sparkplug-note.md.
extension SparkplugSource {
    private static let version: UInt8 = 1

    var note: [UInt8] {
        var writer = RawBuffer()
        writer.append(Self.version)
        writer.append(session == nil ? 0 : 1)
        if let session { writer.append(varint: session) }
        writer.append(varint: devices.count)
        for number in 0..<devices.count { writer.append(counted: devices.name(number)) }
        writer.append(UInt8(generations.count))
        for generation in generations {
            writer.append(varint: generation.birthTime)
            writer.append(varint: generation.count)
            for number in 0..<generation.count {
                let metric = generation.metric(number)
                writer.append(counted: generation.name(number))
                writer.append(metric.datatype)
                writer.append(metric.alias == nil ? 0 : 1)
                if let alias = metric.alias { writer.append(varint: alias) }
            }
        }
        return writer.array
    }

    /// Devices whose ids no reading can have are left out.
    ///
    /// - Parameter id: the source's, `group/edge node` or with a device behind it.
    /// - Returns: nil when it is not a note of this version.
    init?(note: UnsafeRawBufferPointer, of id: UnsafeRawBufferPointer) {
        var cursor = ByteCursor(note)
        guard (try? cursor.byte()) == Self.version else { return nil }
        do {
            let session = try Self.optional(&cursor)
            for _ in 0..<(try cursor.count(limit: Self.deviceLimit)) {
                let device = try cursor.countedBytes()
                guard device.isValidUTF8 else { return nil }
                guard id.count + 1 + device.count <= Limits.deviceByteCount else { continue }
                guard try add(device: device) else { return nil }
            }
            for _ in 0..<(try cursor.count(limit: Self.generationLimit)) {
                // Only the newest birth's session is in the note.
                var generation = SparkplugGeneration(birthTime: try cursor.varint(), session: generations.isEmpty ? session : nil)
                for _ in 0..<(try cursor.count(limit: SparkplugPayload.metricLimit)) {
                    let name = try cursor.countedBytes()
                    try generation.add(name, .init(datatype: try cursor.byte(), alias: try Self.optional(&cursor)))
                }
                generations.append(generation)
            }
        } catch {
            return nil
        }
        guard cursor.isAtEnd else { return nil }
    }

    private static func optional(_ cursor: inout ByteCursor) throws(CodecError) -> UInt64? {
        switch try cursor.byte() {
        case 0: return nil
        case 1: return try cursor.varint()
        default: throw .malformed
        }
    }
}
