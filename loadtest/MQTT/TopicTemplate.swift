/// A topic with at most one `{device}` in it, split for fast building, and `{connection}` anywhere.
struct TopicTemplate: Sendable, Equatable {
    static let device = "{device}"
    static let connection = "{connection}"

    let text: String
    let prefix: [UInt8]
    let suffix: [UInt8]
    let hasDevice: Bool

    /// Nil when there is more than one `{device}`, a wildcard or a NUL, or nothing at all.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        let mark = Array(Self.device.utf8)
        let starts = bytes.indices.filter { bytes[$0...].starts(with: mark) }
        guard starts.count <= 1, !bytes.isEmpty, !bytes.contains(where: { [0, UInt8(ascii: "+"), UInt8(ascii: "#")].contains($0) })
        else { return nil }
        self.text = text
        hasDevice = !starts.isEmpty
        prefix = Array(bytes[..<(starts.first ?? bytes.count)])
        suffix = starts.first.map { Array(bytes[($0 + mark.count)...]) } ?? []
    }

    /// With the number of a connection in place of `{connection}`.
    func resolved(connection: Int) -> TopicTemplate {
        let pieces = text.split(separator: Self.connection, omittingEmptySubsequences: false)
        guard pieces.count > 1, let resolved = TopicTemplate(pieces.joined(separator: "\(connection)")) else { return self }
        return resolved
    }

    func byteCount(_ naming: DeviceNaming) -> Int { prefix.count + suffix.count + (hasDevice ? naming.byteCount : 0) }

    func append(device: Int, naming: DeviceNaming, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: prefix)
        if hasDevice { naming.append(device: device, to: &bytes) }
        bytes.append(contentsOf: suffix)
    }
}
