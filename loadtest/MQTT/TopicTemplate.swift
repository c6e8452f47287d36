/// A topic with one `{device}` in it, split for fast building.
struct TopicTemplate: Sendable, Equatable {
    static let placeholder = "{device}"

    let prefix: [UInt8]
    let suffix: [UInt8]

    /// Nil unless there is exactly one `{device}`, no wildcard and no NUL.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        let mark = Array(Self.placeholder.utf8)
        let starts = bytes.indices.filter { bytes[$0...].starts(with: mark) }
        guard starts.count == 1, !bytes.contains(where: { [0, UInt8(ascii: "+"), UInt8(ascii: "#")].contains($0) }) else { return nil }
        prefix = Array(bytes[..<starts[0]])
        suffix = Array(bytes[(starts[0] + mark.count)...])
    }
}

/// Device names: a prefix and a number of fixed width.
struct DeviceNaming: Sendable, Equatable {
    let prefix: [UInt8]
    let width: Int

    init(prefix: String, deviceCount: Int) {
        self.prefix = Array(prefix.utf8)
        width = String(deviceCount - 1).utf8.count
    }

    var byteCount: Int { prefix.count + width }

    func append(device: Int, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: prefix)
        bytes.append(decimal: Int64(device), width: width)
    }

    func name(of device: Int) -> String {
        var bytes: [UInt8] = []
        append(device: device, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The number in a name this naming made; nil for any other name.
    func device(named name: some Collection<UInt8>) -> Int? {
        guard name.count == byteCount, name.starts(with: prefix) else { return nil }
        var device = 0
        for byte in name.dropFirst(prefix.count) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            device = device * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return device
    }
}
