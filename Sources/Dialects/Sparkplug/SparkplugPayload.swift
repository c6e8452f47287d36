import Telemetry

/// A payload's header and its metrics, in memory that is used again.
struct SparkplugPayload {
    /// Metrics of one payload; the largest edge nodes have some ten thousand tags.
    static let metricLimit = 65_536
    /// What compressing clients (Tahu, Ignition) write into `uuid`.
    private static let compressionMark: StaticString = "SPBV1.0_COMPRESSED"

    /// Milliseconds since the epoch.
    private(set) var timestamp: UInt64?
    private(set) var sequence: UInt64?
    private(set) var metrics: [SparkplugMetric] = []
    private var uuid = UnsafeRawBufferPointer(start: nil, count: 0)

    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(Rejection) {
        var cursor = WireCursor(bytes)
        let isWhole: Bool
        do throws(WireError) {
            isWhole = try readFields(&cursor)
        } catch {
            throw Rejection(.undecodable, "no Sparkplug payload: \(error) at byte \(cursor.position)")
        }
        guard isWhole else { throw Rejection(.payloadTooLong, "more than \(Self.metricLimit) metrics") }
        guard !(uuid == Self.compressionMark) else { throw Rejection(.undecodable, "compressed payloads are not supported") }
    }

    /// Source: sparkplug_b.proto of Eclipse Tahu, message Payload.
    ///
    /// - Returns: false when there are more metrics than the limit.
    private mutating func readFields(_ cursor: inout WireCursor) throws(WireError) -> Bool {
        (timestamp, sequence, uuid) = (nil, nil, UnsafeRawBufferPointer(start: nil, count: 0))
        metrics.removeAll(keepingCapacity: true)
        while let (field, kind) = try cursor.key() {
            switch (field, kind) {
            case (1, .varint): timestamp = try cursor.varint()
            case (2, .bytes):
                guard metrics.count < Self.metricLimit else { return false }
                metrics.append(try SparkplugMetric(try cursor.counted()))
            case (3, .varint): sequence = try cursor.varint()
            case (4, .bytes): uuid = try cursor.counted()
            case (1...4, _): throw .malformed
            default: try cursor.skip(kind)
            }
        }
        return true
    }

    /// The session's number in a birth or death of an edge node.
    var birthDeathSequence: UInt64? {
        for metric in metrics {
            if let name = metric.name, name == Self.birthDeathName, case .integer(let number) = metric.value { return number }
        }
        return nil
    }

    private static let birthDeathName: StaticString = "bdSeq"
    private static let commandPrefixes: [StaticString] = ["Node Control/", "Device Control/"]

    /// Metrics of the protocol itself: the session's number, and the commands that a node or device takes.
    static func isBookkeeping(_ name: UnsafeRawBufferPointer) -> Bool {
        name == birthDeathName || commandPrefixes.contains { name.starts(with: $0) }
    }

    /// A command to an edge node to be born again.
    static func rebirth(at time: Timestamp) -> [UInt8] {
        let milliseconds = UInt64(max(0, time.microseconds.floorDivided(by: 1_000)))
        let name: StaticString = "Node Control/Rebirth"
        var metric = WireWriter()
        metric.key(1, .bytes)
        metric.counted(UnsafeRawBufferPointer(name))
        metric.key(3, .varint)
        metric.varint(milliseconds)
        metric.key(4, .varint)
        metric.varint(UInt64(SparkplugType.boolean))
        metric.key(14, .varint)
        metric.varint(1)
        var payload = WireWriter()
        payload.key(1, .varint)
        payload.varint(milliseconds)
        payload.key(2, .bytes)
        payload.counted(metric.bytes)
        return payload.bytes
    }
}
