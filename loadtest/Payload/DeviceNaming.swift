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
