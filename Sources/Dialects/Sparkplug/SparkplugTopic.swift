/// `spBv1.0/<group>/<message type>/<edge node>[/<device>]`.
///
/// Source: Sparkplug 3.0.0, chapter 4, https://sparkplug.eclipse.org/specification/version/3.0/documents/sparkplug-specification-3.0.0.pdf
struct SparkplugTopic {
    enum Kind {
        case nodeBirth, nodeData, nodeDeath, deviceBirth, deviceData, deviceDeath
        /// `NCMD`, `DCMD`.
        case command
        /// `STATE`: whether a host application is there.
        case hostState
    }

    let kind: Kind
    let group: UnsafeRawBufferPointer
    let edgeNode: UnsafeRawBufferPointer
    /// Of the message types that begin with D only.
    let device: UnsafeRawBufferPointer?

    /// Nil: not of the namespace.
    init?(_ topic: UnsafeRawBufferPointer) {
        var rest = topic
        let first = Self.level(&rest)
        group = Self.level(&rest)
        if first == "STATE" || (first == "spBv1.0" && group == "STATE") {
            (kind, edgeNode, device) = (.hostState, rest, nil)
            return
        }
        guard first == "spBv1.0", let (kind, hasDevice) = Self.kind(Self.level(&rest)) else { return nil }
        self.kind = kind
        edgeNode = Self.level(&rest)
        let isDeep = rest.baseAddress != nil && rest.count > 0
        guard !group.isEmpty, !edgeNode.isEmpty, isDeep == hasDevice else { return nil }
        device = hasDevice ? rest : nil
        if rest.contains(UInt8(ascii: "/")) { return nil }
    }

    private static func kind(_ word: UnsafeRawBufferPointer) -> (Kind, hasDevice: Bool)? {
        if word == "NDATA" { return (.nodeData, false) }
        if word == "DDATA" { return (.deviceData, true) }
        if word == "NBIRTH" { return (.nodeBirth, false) }
        if word == "DBIRTH" { return (.deviceBirth, true) }
        if word == "NDEATH" { return (.nodeDeath, false) }
        if word == "DDEATH" { return (.deviceDeath, true) }
        if word == "NCMD" { return (.command, false) }
        return word == "DCMD" ? (.command, true) : nil
    }

    /// Takes the part up to the next slash off the front.
    private static func level(_ rest: inout UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.count
        defer { rest = rest.slice(min(end + 1, rest.count)..<rest.count) }
        return rest.slice(0..<end)
    }
}
