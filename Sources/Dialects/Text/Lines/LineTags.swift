import Telemetry

/// The tags of one line, sorted by their keys: a series is the same whatever the order its tags come in.
struct LineTags: ~Copyable {
    /// InfluxDB's clients send a dozen.
    private static let limit = 128

    private struct Tag {
        var key: Range<Int>
        var value: Range<Int>
    }

    private var tags: [Tag] = []
    /// Keys and values, escapes resolved.
    private var memory = ScratchBytes()
    private var id = ScratchBytes()
    private var deviceIndex: Int?

    var count: Int { tags.count }

    func key(_ index: Int) -> UnsafeRawBufferPointer { memory.bytes.slice(tags[index].key) }
    func value(_ index: Int) -> UnsafeRawBufferPointer { memory.bytes.slice(tags[index].value) }
    func isDevice(_ index: Int) -> Bool { index == deviceIndex }

    mutating func read(_ cursor: inout LineCursor) throws(Rejection) {
        tags.removeAll(keepingCapacity: true)
        memory.removeAll()
        while let (key, value) = try cursor.tag() {
            guard tags.count < Self.limit else { throw Rejection(.undecodable, "more than \(Self.limit) tags") }
            let start = memory.count
            LineCursor.unescape(key, into: &memory)
            let middle = memory.count
            LineCursor.unescape(value, into: &memory)
            try insert(Tag(key: start..<middle, value: middle..<memory.count))
        }
    }

    /// From the back: most clients send them sorted.
    private mutating func insert(_ tag: Tag) throws(Rejection) {
        let key = memory.bytes.slice(tag.key)
        var index = tags.count
        while index > 0, key.lexicographicallyPrecedes(self.key(index - 1)) { index -= 1 }
        guard index == 0 || !key.equals(self.key(index - 1)) else {
            throw Rejection(.undecodable, "tag \"\(excerpt(key))\" is given twice")
        }
        tags.insert(tag, at: index)
    }

    /// The device that the line is of. The pointer holds until the next line.
    ///
    /// - Parameter topic: the device that the topic names; wins over the tag, which then is one like any other unless it says the same.
    mutating func device(
        _ tag: [UInt8], topic: UnsafeRawBufferPointer?, policy: DialectOptions.TagPolicy
    ) throws(Rejection) -> UnsafeRawBufferPointer {
        deviceIndex = (0..<count).first { key($0).elementsEqual(tag) }
        if let topic, let index = deviceIndex, !value(index).equals(topic) { deviceIndex = nil }
        guard let device = topic ?? deviceIndex.map({ value($0) }) else {
            throw Rejection(
                .noDevice, "no tag \"\(String(decoding: tag, as: UTF8.self))\" names the device; device_tag says which tag does")
        }
        guard policy == .device else { return device }
        // Escaped without other tags, too: a device called `h,cpu=cpu0` is not the series of `h` with that tag.
        id.removeAll()
        append(device, escaping: { $0 == UInt8(ascii: ",") })
        for index in 0..<count where index != deviceIndex {
            id.append(UInt8(ascii: ","))
            append(key(index), escaping: Self.isSpecial)
            id.append(UInt8(ascii: "="))
            append(value(index), escaping: Self.isSpecial)
        }
        return id.bytes
    }

    /// Escaped again, so that no two series have one name.
    private mutating func append(_ part: UnsafeRawBufferPointer, escaping isSpecial: (UInt8) -> Bool) {
        for byte in part {
            if isSpecial(byte) { id.append(UInt8(ascii: "\\")) }
            id.append(byte)
        }
    }

    private static func isSpecial(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ",") || byte == UInt8(ascii: "=") }
}
