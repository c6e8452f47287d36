import Foundation
import Telemetry

/// The days of a time zone that a range of time touches: 23, 24 or 25 hours long. Days are numbered from 1970-01-01 of the zone.
struct ZoneDays {
    private let zone: TimeZone
    /// The first and the last day.
    let first: Int64
    let last: Int64

    /// Years in which the rules of zones mean anything.
    private static let years = 1900...2200
    private static let daySeconds: Int64 = 86_400

    /// - Parameter end: exclusive, after `start`.
    init(_ zone: TimeZone, start: Timestamp, end: Timestamp) throws(Problem) {
        for (name, time) in [("start", start), ("end", end)] where !Self.years.contains(CivilDate(time).year) {
            throw .invalid(name, "With align, \(name) must lie in the years \(Self.years.lowerBound) to \(Self.years.upperBound).")
        }
        self.zone = zone
        let (startSecond, lastSecond) = (start.microseconds.floorDivided(by: 1_000_000), (end.microseconds - 1).floorDivided(by: 1_000_000))
        let (first, last) = (Self.day(of: startSecond, zone), Self.day(of: lastSecond, zone))
        // Where clocks went back over midnight, a second may lie on the other side of it than the day that it shows.
        self.first = Self.start(of: first, zone) > startSecond ? first - 1 : first
        self.last = Self.start(of: last + 1, zone) <= lastSecond ? last + 1 : last
    }

    /// The day from which windows of so many days are counted: those of whole weeks begin on Mondays, others on 1970-01-01, a Thursday.
    static func origin(of count: Int128) -> Int128 { count % 7 == 0 ? -3 : 0 }

    /// Where windows of so many days begin, and the end of the last; ascending. There is no window of days that the zone skipped.
    func edges(every count: Int64) -> [Timestamp] {
        let origin = Int64(Self.origin(of: Int128(count)))
        let firstWindow = (first - origin).floorDivided(by: count)
        let lastWindow = (last - origin).floorDivided(by: count)
        var edges: [Timestamp] = []
        for window in firstWindow...(lastWindow + 1) {
            let edge = Timestamp(microseconds: Self.start(of: origin + window * count, zone) * 1_000_000)
            // A day that was skipped begins with the next one.
            if edges.last.map({ $0 < edge }) ?? true { edges.append(edge) }
        }
        return edges
    }

    /// The first second of a day. Where clocks go forward at midnight it is the one they go to.
    private static func start(of day: Int64, _ zone: TimeZone) -> Int64 {
        let midnight = day * Self.daySeconds
        let before = Self.offset(at: midnight - Self.daySeconds, zone)
        let after = Self.offset(at: midnight + Self.daySeconds, zone)
        if before == after { return midnight - before }
        var (low, high) = (midnight - Self.daySeconds, midnight + Self.daySeconds)
        while low < high {
            let middle = (low + high).floorDivided(by: 2)
            if Self.day(of: middle, zone) >= day { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private static func day(of second: Int64, _ zone: TimeZone) -> Int64 {
        (second + offset(at: second, zone)).floorDivided(by: daySeconds)
    }

    private static func offset(at second: Int64, _ zone: TimeZone) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second))))
    }
}

extension TimeZone {
    /// By its name in the tz database; Foundation would take other texts, too.
    static func named(_ name: String) -> TimeZone? {
        guard name == "UTC" || knownNames.contains(name) else { return nil }
        return TimeZone(identifier: name)
    }

    private static let knownNames = Set(knownTimeZoneIdentifiers)
}
