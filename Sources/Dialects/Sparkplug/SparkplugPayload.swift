import Telemetry
import TelemetryCodec

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
        var cursor = ByteCursor(bytes)
        let isWhole: Bool
        do throws(CodecError) {
            isWhole = try readFields(&cursor)
        } catch {
            throw Rejection(.undecodable, "no Sparkplug payload: \(error) at byte \(cursor.offset)")
        }
        guard isWhole else { throw Rejection(.payloadTooLong, "more than \(Self.metricLimit) metrics") }
        guard !(uuid == Self.compressionMark) else { throw Rejection(.undecodable, "compressed payloads are not supported") }
    }

    /// Source: sparkplug_b.proto of Eclipse Tahu, message Payload.
    ///
    /// - Returns: false when there are more metrics than the limit.
    private mutating func readFields(_ cursor: inout ByteCursor) throws(CodecError) -> Bool {
        (timestamp, sequence, uuid) = (nil, nil, UnsafeRawBufferPointer(start: nil, count: 0))
        metrics.removeAll(keepingCapacity: true)
        while let (field, kind) = try cursor.protobufKey() {
            switch (field, kind) {
            case (1, .varint): timestamp = try cursor.varint()
            case (2, .bytes):
                guard metrics.count < Self.metricLimit else { return false }
                metrics.append(try SparkplugMetric(try cursor.countedBytes()))
            case (3, .varint): sequence = try cursor.varint()
            case (4, .bytes): uuid = try cursor.countedBytes()
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
        var metric = RawBuffer()
        metric.append(protobufKey: 1, .bytes)
        metric.append(counted: UnsafeRawBufferPointer(name))
        metric.append(protobufKey: 3, .varint)
        metric.append(varint: milliseconds)
        metric.append(protobufKey: 4, .varint)
        metric.append(varint: UInt64(SparkplugType.boolean))
        metric.append(protobufKey: 14, .varint)
        metric.append(varint: 1)
        var payload = RawBuffer()
        payload.append(protobufKey: 1, .varint)
        payload.append(varint: milliseconds)
        payload.append(protobufKey: 2, .bytes)
        metric.withBytes { payload.append(counted: $0) }
        return payload.array
    }
}
