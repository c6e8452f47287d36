/// What is wrong with some messages on purpose. Which ones is a pure function of seed, device and message, so that verification knows.
struct Faults: Codable, Equatable, Sendable {
    /// Shares of all messages, 0...1.
    var lateFraction = 0.0
    var duplicateFraction = 0.0
    var badFraction = 0.0
    /// How much older than now a late message's readings are, µs.
    var lateBy: Int64 = 0

    enum CodingKeys: String, CodingKey {
        case lateFraction = "late_fraction"
        case duplicateFraction = "duplicate_fraction"
        case badFraction = "bad_fraction"
        case lateBy = "late_by_us"
    }

    private enum Kind: UInt64 {
        case late = 0x1A7E
        case duplicate = 0xD0B1
        case bad = 0xBAD
    }

    /// A message out of order: its readings happened `lateBy` earlier.
    func isLate(seed: UInt64, device: Int, message: Int) -> Bool { isDrawn(.late, lateFraction, seed, device, message) }
    /// A message that is published twice.
    func isDuplicated(seed: UInt64, device: Int, message: Int) -> Bool { isDrawn(.duplicate, duplicateFraction, seed, device, message) }
    /// A message that nobody can decode. It carries no reading.
    func isBad(seed: UInt64, device: Int, message: Int) -> Bool { isDrawn(.bad, badFraction, seed, device, message) }

    private func isDrawn(_ kind: Kind, _ fraction: Double, _ seed: UInt64, _ device: Int, _ message: Int) -> Bool {
        guard fraction > 0 else { return false }
        let stream = ReadingGenerator.mix(seed ^ kind.rawValue << 48 ^ UInt64(truncatingIfNeeded: device))
        return UnitInterval.draw(stream, UInt64(truncatingIfNeeded: message)) < fraction
    }

    /// Makes a payload bad in every dialect: 0xFF is no UTF-8, ends nothing in CBOR, and no field of a protobuf message starts so.
    static func spoil(_ payload: inout [UInt8], from start: Int) {
        guard start < payload.count else { return payload.append(0xFF) }
        payload[start] = 0xFF
        payload.removeLast((payload.count - start) / 2)
    }
}

enum UnitInterval {
    /// The draw number `index` of a stream, uniform in [0, 1).
    static func draw(_ stream: UInt64, _ index: UInt64) -> Double {
        Double(ReadingGenerator.mix(stream &+ index &* 0x9E37_79B9_7F4A_7C15) >> 11) * 0x1p-53
    }
}
