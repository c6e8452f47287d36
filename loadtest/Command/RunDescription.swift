/// What is needed to make any reading of a run again. Stands at the head of a ledger.
struct RunDescription: Codable, Equatable, Sendable {
    /// A name no other run has.
    var run: String
    /// What device names start with.
    var prefix: String
    var devices: Int
    var connections: Int
    var seed: UInt64
    /// See `ReadingGenerator.payloadByteCount`.
    var payloadSize: Int
    /// No reading of the run is older, late ones apart: µs since the epoch.
    var startTime: Int64
    var dialect = Dialect.json
    var readingsPerMessage = 1
    var faults = Faults()
    /// The file the payloads come from instead of the dialect; such a run cannot be verified.
    var template: String?

    enum CodingKeys: String, CodingKey {
        case run, prefix, devices, connections, seed, dialect, faults, template
        case payloadSize = "payload_size"
        case startTime = "start_us"
        case readingsPerMessage = "readings_per_message"
    }

    var fleet: Fleet { Fleet(deviceCount: devices, connectionCount: connections) }
    var naming: DeviceNaming { DeviceNaming(prefix: prefix, deviceCount: devices) }
    var generator: ReadingGenerator { ReadingGenerator(seed: seed, payloadByteCount: payloadSize) }

    var unverifiableReason: String? { Self.unverifiableReason(dialect: dialect, hasTemplate: template != nil) }

    /// Why a run's readings cannot be told from what a gateway shows; nil when they can.
    static func unverifiableReason(dialect: Dialect, hasTemplate: Bool) -> String? {
        guard !hasTemplate else {
            return "payloads of a --template cannot be verified or probed: what a gateway makes of them is not known"
        }
        guard !dialect.isVerifiable else { return nil }
        let names = Dialect.allCases.filter(\.isVerifiable).map(\.rawValue).joined(separator: ", ")
        return "readings of \(dialect.rawValue) do not say their number and cannot be verified or probed; those of \(names) can"
    }

    func isLate(device: Int, sequence: Int) -> Bool {
        faults.isLate(seed: seed, device: device, message: sequence / readingsPerMessage)
    }

    func isBad(device: Int, sequence: Int) -> Bool {
        faults.isBad(seed: seed, device: device, message: sequence / readingsPerMessage)
    }

    /// Base 36 of the start time in µs: short, and two runs of one machine never share it.
    static func runName(startTime: Int64) -> String { String(startTime, radix: 36) }
}

/// One reading the broker has acknowledged.
struct AcknowledgedReading: Equatable, Sendable {
    var device: UInt32
    var sequence: UInt32
    /// µs since the epoch.
    var time: Int64
}
