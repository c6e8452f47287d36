import Dialects
import Telemetry

/// What became of the readings of a write.
struct WriteOutcome: Sendable {
    struct BadReading: Sendable {
        var place: RowPlace
        var reason: RejectReason
        /// A sentence, where the reason alone does not say it.
        var detail: String?
    }

    var accepted = 0
    private(set) var rejected: [RejectReason: Int]
    /// The first ones, in their order in the body.
    private(set) var badReadings: [BadReading]
    /// Of the first reading that is too old, or too far ahead.
    private(set) var misfit: MisfitTime?

    init(_ decoded: BodyContents) {
        rejected = decoded.rejected
        badReadings = decoded.badRows.map {
            BadReading(place: $0.place, reason: $0.rejection.reason, detail: $0.rejection.detail)
        }
    }

    var rejectedCount: Int { rejected.values.reduce(0, +) }

    /// Adds what the store refused.
    /// - Parameter unit: in which times were read.
    mutating func add(_ refused: [(place: RowPlace, reason: RejectReason, time: Timestamp)], unit: DialectOptions.TimeUnit) {
        for (_, reason, _) in refused { rejected[reason, default: 0] += 1 }
        if let first = refused.first(where: { $0.reason == .late || $0.reason == .future }) {
            misfit = MisfitTime(place: first.place, time: first.time, unit: unit)
        }
        let first = refused.prefix(BodyContents.listedRowCount).map { place, reason, time in
            BadReading(place: place, reason: reason, detail: Self.detail(reason, time))
        }
        badReadings += first
        badReadings.sort { $0.place.index < $1.place.index }
        badReadings.removeLast(max(0, badReadings.count - BodyContents.listedRowCount))
    }

    private static func detail(_ reason: RejectReason, _ time: Timestamp) -> String? {
        switch reason {
        case .late: "its time was read as \(time.rfc3339), older than the table keeps readings"
        case .future: "its time was read as \(time.rfc3339), too far ahead of the gateway's clock"
        case .rateLimited: "its table takes no more at once: max_readings_per_second or device_readings_per_second"
        case .deviceLimit: "its table takes no more devices: max_devices"
        default: nil
        }
    }

    func write(to json: inout JSONWriter) {
        json.member("accepted", accepted)
        json.member("rejected", rejectedCount)
        json.key("errors")
        json.array { json in
            for bad in badReadings {
                json.object { json in
                    json.member("index", bad.place.index)
                    if let line = bad.place.line { json.member("line", line) }
                    json.member("reason", bad.reason.rawValue)
                    if let detail = bad.detail { json.member("detail", detail) }
                }
            }
        }
    }
}
