import Telemetry

/// The edge nodes and devices of a subscription, each read from its note when it is first met.
struct SparkplugMemory {
    /// Edge nodes and devices of one subscription.
    static let sourceLimit = 65_536
    /// Memory for them, their names and what births said.
    static let byteLimit = 256 << 20
    /// Of one source's note.
    static let noteByteLimit = 4 << 20

    private let storedNote: (String) -> [UInt8]?
    private var names = NameIndex()
    private var sources: [SparkplugSource] = []
    private var byteCount = 0
    /// Sources whose notes are to be kept with the next commit: encoded once, however often they changed.
    private var changed: Set<Int> = []
    /// At most what these notes take together.
    private(set) var changedByteCount = 0

    init(note: @escaping (String) -> [UInt8]?) { storedNote = note }

    subscript(_ number: Int) -> SparkplugSource { sources[number] }

    mutating func forget() {
        names = NameIndex()
        sources = []
        byteCount = 0
        changed = []
        changedByteCount = 0
    }

    /// - Parameter id: `group/edge node`, or `group/edge node/device`.
    mutating func number(of id: UnsafeRawBufferPointer) throws(Rejection) -> Int {
        if let known = names.find(id) { return known }
        guard sources.count < Self.sourceLimit else {
            throw Rejection(.deviceLimit, "more than \(Self.sourceLimit) edge nodes and devices in one subscription")
        }
        let source = storedNote(Self.noteSource(id))?.withUnsafeBytes { SparkplugSource(note: $0, of: id) } ?? SparkplugSource()
        let added = source.byteCount + 2 * id.count + 96
        try check(byteCount + added)
        byteCount += added
        sources.append(source)
        return names.insert(id)
    }

    /// Adds a birth and asks for its note to be kept.
    mutating func add(_ generation: SparkplugGeneration, to number: Int) throws(Rejection) {
        var source = sources[number]
        source.add(generation)
        try replace(number, by: source)
    }

    mutating func add(device: UnsafeRawBufferPointer, to number: Int) throws(Rejection) {
        guard sources[number].devices.find(device) == nil else { return }
        // Measured before: a copy of thousands of names for each new one would be too dear.
        try checkNote(sources[number].noteByteCount + device.count + 2)
        try check(byteCount + device.count + 96)
        let (before, noteBefore) = (sources[number].byteCount, sources[number].noteByteCount)
        _ = try sources[number].add(device: device)
        byteCount += sources[number].byteCount - before
        noteChange(of: number, before: noteBefore)
    }

    private mutating func replace(_ number: Int, by source: SparkplugSource) throws(Rejection) {
        let byteCount = byteCount - sources[number].byteCount + source.byteCount
        try checkNote(source.noteByteCount)
        try check(byteCount)
        self.byteCount = byteCount
        let noteBefore = sources[number].noteByteCount
        sources[number] = source
        noteChange(of: number, before: noteBefore)
    }

    /// - Parameter byteCount: of its note before the change.
    private mutating func noteChange(of number: Int, before byteCount: Int) {
        let counted = changed.insert(number).inserted ? 0 : byteCount
        changedByteCount += sources[number].noteByteCount - counted
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

    private func checkNote(_ byteCount: Int) throws(Rejection) {
        guard byteCount <= Self.noteByteLimit else {
            throw Rejection(.fieldLimit, "the devices and births of this edge node take more than \(Self.noteByteLimit >> 20) MiB")
        }
    }

    /// The notes that have changed since this was called last.
    mutating func writeNotes(to effects: inout DialectEffects) {
        for number in changed.sorted() {
            let source = names.name(number).withUnsafeBytes { Self.noteSource($0) }
            effects.set(DialectEffects.Note(source: source, bytes: sources[number].note))
        }
        changed = []
        changedByteCount = 0
    }

    private static func noteSource(_ id: UnsafeRawBufferPointer) -> String { "sparkplug/" + String(decoding: id, as: UTF8.self) }
}
