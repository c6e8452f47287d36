/// What one connection has to say, message by message: which readings, at which times, and what is wrong with them.
///
/// Times of a device rise strictly from message to message, by whole steps of the dialect. Where late messages are asked for, messages in
/// order take the even steps and late ones the odd, so that no late reading meets another one.
struct MessageStream: Sendable {
    /// Times of one message's readings are further apart than this only when they must be: a slot keeps them in 32 bits.
    private static let longestStep: Int64 = 60_000_000

    let connection: Int
    private let fleet: Fleet
    private let encoder: PayloadEncoder
    private let faults: Faults
    private let readingsPerMessage: Int
    /// Times are multiples of this, µs.
    private let grain: Int64
    /// Added to a late message's times; negative.
    private let lateShift: Int64
    /// Time of each device's newest reading, by position on this connection.
    private var newestTimes: [Int64]

    /// The number of the next message.
    private(set) var count = 0

    init(description: RunDescription, encoder: PayloadEncoder, connection: Int) {
        self.connection = connection
        self.encoder = encoder
        fleet = description.fleet
        faults = description.faults
        readingsPerMessage = description.readingsPerMessage
        let hasLate = faults.lateFraction > 0
        let granularity = encoder.template == nil ? encoder.dialect.granularity : 1_000
        grain = hasLate ? 2 * granularity : granularity
        lateShift = hasLate ? granularity - faults.lateBy / grain * grain : 0
        // One grain below the first time that may be used.
        newestTimes = Array(repeating: description.startTime / grain * grain, count: fleet.deviceCount(on: connection))
    }

    /// Newest time of a message in order; never older than the run's start.
    var newestTime: Int64 { newestTimes.max() ?? 0 }

    /// The time of the next message, and of the steps between its readings; takes the message.
    mutating func take(wallTime: Int64) -> (number: Int, time: Int64, step: UInt32) {
        let number = count
        let position = number % newestTimes.count
        let previous = newestTimes[position]
        // Two readings of a device at one time would be one reading to the store.
        var time = max(wallTime, previous + Int64(readingsPerMessage) * grain)
        if grain > 1 { time -= time % grain }
        var step = grain
        if readingsPerMessage > 1 {
            step = min((time - previous) / Int64(readingsPerMessage), Self.longestStep)
            step = max(grain, step - step % grain)
        }
        newestTimes[position] = time
        count += 1
        return (number, time, UInt32(step))
    }

    /// The readings of a message that was taken; of the message as it is sent, so late ones with their late times.
    func readings(of number: Int, time: Int64, step: UInt32) -> MessageReadings {
        let message = fleet.reading(of: number, on: connection)
        let isLate = faults.isLate(seed: encoder.generator.seed, device: message.device, message: message.sequence)
        return MessageReadings(
            device: message.device, sequence: message.sequence * readingsPerMessage, count: readingsPerMessage,
            time: isLate ? time + lateShift : time, step: Int64(step))
    }

    func isDuplicated(_ number: Int) -> Bool {
        guard faults.duplicateFraction > 0 else { return false }
        let message = fleet.reading(of: number, on: connection)
        return faults.isDuplicated(seed: encoder.generator.seed, device: message.device, message: message.sequence)
    }

    func isBad(_ number: Int) -> Bool {
        guard faults.badFraction > 0 else { return false }
        let message = fleet.reading(of: number, on: connection)
        return faults.isBad(seed: encoder.generator.seed, device: message.device, message: message.sequence)
    }

    /// Appends the payload as it is sent.
    /// - Parameter ordinal: see `PayloadEncoder.append`.
    func appendPayload(_ readings: MessageReadings, number: Int, ordinal: Int, to bytes: inout [UInt8]) {
        let start = bytes.count
        encoder.append(readings, ordinal: ordinal, to: &bytes)
        if isBad(number) { Faults.spoil(&bytes, from: start) }
    }
}
