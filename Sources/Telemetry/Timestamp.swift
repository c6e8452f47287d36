/// A point in time: microseconds since the Unix epoch, UTC. The only time the product stores.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var microseconds: Int64

    @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }

    package static let distantPast = Timestamp(microseconds: .min)
    package static let distantFuture = Timestamp(microseconds: .max)

    @inlinable public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

    /// Saturates: a TTL of centuries moves a time to the end of the axis, not around it.
    @inlinable public static func + (time: Timestamp, span: TimeSpan) -> Timestamp {
        let (sum, overflow) = time.microseconds.addingReportingOverflow(span.microseconds)
        return Timestamp(microseconds: overflow ? (span.microseconds < 0 ? .min : .max) : sum)
    }

    @inlinable public static func - (time: Timestamp, span: TimeSpan) -> Timestamp {
        let (difference, overflow) = time.microseconds.subtractingReportingOverflow(span.microseconds)
        return Timestamp(microseconds: overflow ? (span.microseconds < 0 ? .max : .min) : difference)
    }

    @inlinable public static func - (a: Timestamp, b: Timestamp) -> TimeSpan {
        let (difference, overflow) = a.microseconds.subtractingReportingOverflow(b.microseconds)
        return TimeSpan(microseconds: overflow ? (a < b ? .min : .max) : difference)
    }
}

/// A length of time in microseconds.
public struct TimeSpan: Hashable, Comparable, Sendable {
    public var microseconds: Int64

    @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }

    package static func milliseconds(_ count: Int64) -> TimeSpan { TimeSpan(microseconds: count * 1_000) }
    package static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(microseconds: count * 1_000_000) }
    package static func minutes(_ count: Int64) -> TimeSpan { .seconds(count * 60) }
    package static func hours(_ count: Int64) -> TimeSpan { .seconds(count * 3_600) }
    package static func days(_ count: Int64) -> TimeSpan { .hours(count * 24) }
    package static let zero = TimeSpan(microseconds: 0)

    package var seconds: Double { Double(microseconds) / 1_000_000 }

    @inlinable public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.microseconds < b.microseconds }
}
