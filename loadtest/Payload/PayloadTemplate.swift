/// A payload with placeholders, compiled once so that a message is a walk over its parts.
struct PayloadTemplate: Sendable, Equatable {
    enum Part: Equatable, Sendable {
        /// Bytes of `text`.
        case literal(Range<Int>)
        case device
        case sequence
        case time(TimeForm)
        /// Moves at most `step` from a reading to the next; numbers in units of 10^-digits.
        case walk(min: Int64, max: Int64, step: Int64, digits: Int)
        case random(min: Int64, max: Int64, digits: Int)
        /// Entries of `choices`.
        case choice(Range<Int>)
    }

    enum TimeForm: String, Sendable, CaseIterable {
        case seconds = "ts_s"
        case milliseconds = "ts_ms"
        case microseconds = "ts_us"
        case nanoseconds = "ts_ns"
        /// RFC 3339, UTC, ms.
        case iso = "ts_iso"
    }

    var text: [UInt8]
    var parts: [Part]
    /// Ranges of `text`.
    var choices: [Range<Int>]

    func append(_ readings: MessageReadings, naming: DeviceNaming, seed: UInt64, to bytes: inout [UInt8]) {
        let stream = ReadingGenerator.mix(seed ^ UInt64(truncatingIfNeeded: readings.device) &* 0xD1B5_4A32_D192_ED03)
        for index in parts.indices {
            let own = ReadingGenerator.mix(stream &+ UInt64(truncatingIfNeeded: index))
            switch parts[index] {
            case .literal(let range): bytes.append(contentsOf: text[range])
            case .device: naming.append(device: readings.device, to: &bytes)
            case .sequence: bytes.append(decimal: Int64(readings.sequence))
            case .time(let form): Self.append(readings.time, form, to: &bytes)
            case .walk(let min, let max, let step, let digits):
                bytes.append(decimal: Self.walk(own, readings.sequence, min, max, step), fractionDigits: digits)
            case .random(let min, let max, let digits):
                let draw = ReadingGenerator.mix(own &+ UInt64(truncatingIfNeeded: readings.sequence))
                bytes.append(decimal: min + Int64(draw % UInt64(max - min + 1)), fractionDigits: digits)
            case .choice(let range):
                let draw = ReadingGenerator.mix(own &+ UInt64(truncatingIfNeeded: readings.sequence))
                bytes.append(contentsOf: text[choices[range.lowerBound + Int(draw % UInt64(range.count))]])
            }
        }
    }

    private static func append(_ time: Int64, _ form: TimeForm, to bytes: inout [UInt8]) {
        switch form {
        case .seconds: bytes.append(decimal: time / 1_000_000)
        case .milliseconds: bytes.append(decimal: time / 1_000)
        case .microseconds: bytes.append(decimal: time)
        case .nanoseconds: bytes.append(decimal: time * 1_000)
        case .iso: bytes.append(dateTime: time, milliseconds: true)
        }
    }

    /// Straight lines between seeded points, so far apart that no step is longer than `step`.
    private static func walk(_ stream: UInt64, _ sequence: Int, _ min: Int64, _ max: Int64, _ step: Int64) -> Int64 {
        let span = max - min
        let grain = Swift.max(1, (span + step - 1) / step)
        let (cell, offset) = Int64(sequence).quotientAndRemainder(dividingBy: grain)
        func point(_ index: Int64) -> Int64 {
            Int64(ReadingGenerator.mix(stream &+ UInt64(bitPattern: index)) % UInt64(span + 1))
        }
        let (a, b) = (point(cell), point(cell + 1))
        // Both factors may have 40 bits.
        return min + a + Int64(Double(b - a) * Double(offset) / Double(grain))
    }
}
