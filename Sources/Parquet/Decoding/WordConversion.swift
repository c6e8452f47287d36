/// From the word that a decoder reads to the word that a batch has: integers 64 bits wide, floats doubles, times microseconds.
enum WordConversion: Sendable {
    case none
    /// INT32, two's complement.
    case signed32, unsigned32
    case float32
    case milliseconds, nanoseconds, days

    func convert(_ words: UnsafeMutablePointer<UInt64>, count: Int) {
        switch self {
        case .none: break
        case .signed32: Self.map(words, count) { UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: $0))) }
        case .unsigned32: Self.map(words, count) { UInt64(UInt32(truncatingIfNeeded: $0)) }
        case .float32: Self.map(words, count) { Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0))).bitPattern }
        case .milliseconds: Self.map(words, count) { UInt64(bitPattern: Microseconds.ofMilliseconds(Int64(bitPattern: $0))) }
        case .nanoseconds: Self.map(words, count) { UInt64(bitPattern: Microseconds.ofNanoseconds(Int64(bitPattern: $0))) }
        case .days: Self.map(words, count) { UInt64(bitPattern: Microseconds.ofDays(Int64(Int32(truncatingIfNeeded: $0)))) }
        }
    }

    @inline(__always)
    private static func map(_ words: UnsafeMutablePointer<UInt64>, _ count: Int, _ body: (UInt64) -> UInt64) {
        for index in 0..<count { words[index] = body(words[index]) }
    }
}
