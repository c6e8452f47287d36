/// Times of every unit as microseconds since the epoch.
///
/// What does not fit is `Int64.min` or `Int64.max`, which no time has: 292 000 years away. A unit finer than a microsecond is cut towards
/// the past, so that order is kept and the time before the epoch is not drawn to it.
enum Microseconds {
    private static let perDay: Int64 = 86_400_000_000

    static func ofMilliseconds(_ value: Int64) -> Int64 { scaled(value, by: 1_000) }

    static func ofDays(_ value: Int64) -> Int64 { scaled(value, by: perDay) }

    static func ofNanoseconds(_ value: Int64) -> Int64 {
        // The shift is 0 or -1: division rounds towards zero, one below is wanted for what is negative and not a multiple.
        let quotient = value / 1_000
        return quotient &+ ((value &- quotient &* 1_000) >> 63)
    }

    /// INT96 as Impala and Spark write times: nanoseconds of the day, and the Julian day, of which 2 440 588 is the epoch's.
    static func ofInt96(nanoseconds: Int64, julianDay: UInt32) -> Int64 {
        let days = Int64(Int32(bitPattern: julianDay)) - 2_440_588
        let (sum, isTooFar) = ofDays(days).addingReportingOverflow(ofNanoseconds(nanoseconds))
        return isTooFar ? (days < 0 ? .min : .max) : sum
    }

    private static func scaled(_ value: Int64, by factor: Int64) -> Int64 {
        let (product, isTooFar) = value.multipliedReportingOverflow(by: factor)
        return isTooFar ? (value < 0 ? .min : .max) : product
    }
}
