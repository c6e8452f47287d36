/// The readings of one message: consecutive numbers of one device, evenly spread in time.
struct MessageReadings: Equatable, Sendable {
    var device: Int
    /// Of the first reading; the others follow.
    var sequence: Int
    /// 1 or more.
    var count: Int
    /// Of the last reading, µs since the epoch.
    var time: Int64
    /// From one reading to the next, µs.
    var step: Int64

    func time(of index: Int) -> Int64 { time - Int64(count - 1 - index) * step }
}
