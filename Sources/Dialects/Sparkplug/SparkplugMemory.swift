import Telemetry

/// The edge nodes and devices of a subscription, each read from its note when it is first met.
struct SparkplugMemory {
    /// Edge nodes and devices of one subscription.
    static let sourceLimit = 65_536
    /// Memory for what births said.
    static let byteLimit = 256 << 20

    private let storedNote: (String) -> [UInt8]?
    private var names = NameIndex()
    private var sources: [SparkplugSource] = []
    private var byteCount = 0

    init(note: @escaping (String) -> [UInt8]?) { storedNote = note }

    subscript(_ number: Int) -> SparkplugSource { sources[number] }

    mutating func forget() {
        names = NameIndex()
        sources = []
        byteCount = 0
    }

    /// - Parameter id: `group/edge node`, or `group/edge node/device`.
    mutating func number(of id: UnsafeRawBufferPointer) throws(Rejection) -> Int {
        if let known = names.find(id) { return known }
        guard sources.count < Self.sourceLimit else {
            throw Rejection(.deviceLimit, "more than \(Self.sourceLimit) edge nodes and devices in one subscription")
        }
        let source = storedNote(Self.noteSource(id))?.withUnsafeBytes { SparkplugSource(note: $0, of: id) } ?? SparkplugSource()
        try check(byteCount + source.byteCount)
        byteCount += source.byteCount
        sources.append(source)
        return names.insert(id)
    }

    /// Adds a birth and asks for its note to be kept.
    mutating func add(_ generation: SparkplugGeneration, to number: Int, effects: inout DialectEffects) throws(Rejection) {
        try check(byteCount + generation.byteCount)
        byteCount -= sources[number].byteCount
        sources[number].add(generation)
        byteCount += sources[number].byteCount
        write(number, to: &effects)
    }

    mutating func add(device: UnsafeRawBufferPointer, to number: Int, effects: inout DialectEffects) throws(Rejection) {
        byteCount -= sources[number].byteCount
        defer { byteCount += sources[number].byteCount }
        if try sources[number].add(device: device) { write(number, to: &effects) }
    }

    /// - Returns: messages missing before this one.
    mutating func count(_ sequence: UInt64?, of number: Int) -> Int { sequence.map { sources[number].count($0) } ?? 0 }

    mutating func startSequence(_ sequence: UInt64?, of number: Int) {
        sources[number].sequence = sequence.flatMap { UInt8(exactly: $0) }
    }

    /// - Returns: whether so much time has passed since the last request that there may be another.
    mutating func mayRequest(at time: Timestamp, of number: Int, interval: TimeSpan) -> Bool {
        if let last = sources[number].requestTime, time - last < interval, time >= last { return false }
        sources[number].requestTime = time
        return true
    }

    private func check(_ byteCount: Int) throws(Rejection) {
        guard byteCount <= Self.byteLimit else {
            throw Rejection(.fieldLimit, "the births of this subscription have more names than \(Self.byteLimit >> 20) MiB hold")
        }
    }

    private func write(_ number: Int, to effects: inout DialectEffects) {
        let id = names.name(number)
        let source = id.withUnsafeBytes { Self.noteSource($0) }
        effects.set(DialectEffects.Note(source: source, bytes: sources[number].note))
    }

    private static func noteSource(_ id: UnsafeRawBufferPointer) -> String { "sparkplug/" + String(decoding: id, as: UTF8.self) }
}
