/// Numbers for byte strings, from 0 in the order they come in. To look one up allocates nothing.
struct NameIndex: Sendable {
    private struct Entry: Sendable {
        var name: [UInt8]
        /// Entry of the same hash that came before; -1: none.
        var earlier: Int
    }

    private var entries: [Entry] = []
    /// The newest entry of each hash. The hash is seeded anew in each process: nobody can choose names that collide.
    private var newest: [Int: Int] = [:]

    var count: Int { entries.count }

    /// Of all names together.
    private(set) var nameByteCount = 0

    /// Memory that it takes, roughly.
    var byteCount: Int { nameByteCount + 96 * entries.count }

    func name(_ number: Int) -> [UInt8] { entries[number].name }

    func append(_ number: Int, to result: inout ScratchBytes) { entries[number].name.withUnsafeBytes { result.append($0) } }

    func find(_ name: UnsafeRawBufferPointer) -> Int? {
        var candidate = newest[Self.hash(name)] ?? -1
        while candidate >= 0 {
            if entries[candidate].name.elementsEqual(name) { return candidate }
            candidate = entries[candidate].earlier
        }
        return nil
    }

    /// The name's number, a new one when it is new.
    mutating func insert(_ name: UnsafeRawBufferPointer) -> Int {
        if let known = find(name) { return known }
        let hash = Self.hash(name)
        entries.append(Entry(name: Array(name), earlier: newest[hash] ?? -1))
        newest[hash] = entries.count - 1
        nameByteCount += name.count
        return entries.count - 1
    }

    private static func hash(_ name: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: name)
        return hasher.finalize()
    }
}
