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

    init(_ decoded: BodyContents) {
        rejected = decoded.rejected
        badReadings = decoded.badRows.map {
            BadReading(place: $0.place, reason: $0.rejection.reason, detail: $0.rejection.detail)
        }
    }

    var rejectedCount: Int { rejected.values.reduce(0, +) }

    /// Adds what the store refused.
    mutating func add(_ refused: [(place: RowPlace, reason: RejectReason)]) {
        for (_, reason) in refused { rejected[reason, default: 0] += 1 }
        let first = refused.lazy.map { BadReading(place: $0.place, reason: $0.reason, detail: nil) }
        badReadings += first.prefix(BodyContents.listedRowCount)
        badReadings.sort { $0.place.index < $1.place.index }
        badReadings.removeLast(max(0, badReadings.count - BodyContents.listedRowCount))
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
