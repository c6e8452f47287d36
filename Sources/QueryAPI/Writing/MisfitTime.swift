import Dialects
import Telemetry

/// The time of a reading that a table does not take, because it is too old or too far ahead. Mostly the unit is to blame: a client that
/// writes seconds into line protocol, which counts nanoseconds, is in January 1970.
struct MisfitTime: Sendable, Equatable {
    var place: RowPlace
    /// As it was read.
    var time: Timestamp
    /// In which it was read.
    var unit: DialectOptions.TimeUnit

    private static let units: [(unit: DialectOptions.TimeUnit, name: String, nanoseconds: Int64)] = [
        (.seconds, "s", 1_000_000_000), (.milliseconds, "ms", 1_000_000), (.microseconds, "us", 1_000), (.nanoseconds, "ns", 1),
        (.minutes, "m", 60_000_000_000), (.hours, "h", 3_600_000_000_000),
    ]
    /// Seconds of an epoch number of ten digits, 2001 to 2286: what a time of telemetry is.
    private static let plausibleSeconds: ClosedRange<Int64> = 1_000_000_000...9_999_999_999

    /// A sentence about it.
    var text: String {
        let position = place.line.map { "on line \($0)" } ?? "at index \(place.index)"
        let start = "The time of the reading \(position) was read as \(time.rfc3339)"
        guard let own = Self.units.first(where: { $0.unit == unit }) else { return start + "." }
        guard let better = likelier(than: own.nanoseconds) else { return "\(start), with precision=\(own.name)." }
        return "\(start), with precision=\(own.name); with precision=\(better.name) it is \(better.time.rfc3339)."
    }

    /// The unit in which the number is a time of our days.
    private func likelier(than nanoseconds: Int64) -> (name: String, time: Timestamp)? {
        // Of nanoseconds, three digits went when they were read; the years stay.
        let (number, overflow) =
            nanoseconds < 1_000
            ? time.microseconds.multipliedReportingOverflow(by: 1_000) : (time.microseconds / (nanoseconds / 1_000), false)
        guard !overflow else { return nil }
        for unit in Self.units.prefix(4) where unit.unit != self.unit {
            let perSecond = 1_000_000_000 / unit.nanoseconds
            guard Self.plausibleSeconds.contains(number / perSecond) else { continue }
            let microseconds = unit.nanoseconds < 1_000 ? number / 1_000 : number * (unit.nanoseconds / 1_000)
            return (unit.name, Timestamp(microseconds: microseconds))
        }
        return nil
    }
}
