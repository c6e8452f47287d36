/// What device d says in its reading number n: a pure function of seed, d and n.
///
/// Nothing is remembered per device, so a reading can be made again for a republish or for verification without keeping it.
/// Walks are value noise: seeded points joined by straight lines, in two grains, which looks like a random walk that stays in range.
struct ReadingGenerator: Sendable {
    struct Values: Equatable, Sendable {
        var temperatureHundredths: Int64
        var humidityHundredths: Int64
        var battery: Int64
        var rssi: Int64
        var status: StaticString

        static func == (a: Values, b: Values) -> Bool {
            a.temperatureHundredths == b.temperatureHundredths && a.humidityHundredths == b.humidityHundredths
                && a.battery == b.battery && a.rssi == b.rssi && a.status.utf8Start == b.status.utf8Start
        }
    }

    private enum Walk: UInt64 {
        case temperature = 1
        case humidity, battery, rssi, status
    }

    let seed: UInt64
    /// Payloads are padded with a string field `pad` up to this size; smaller than the reading itself: no padding.
    let payloadByteCount: Int
    private let padding: [UInt8]

    /// Different pads of one run are windows into one text, shifted by the sequence number.
    private static let padShifts = 64
    private static let padOverhead = #","pad":"""#.utf8.count

    init(seed: UInt64, payloadByteCount: Int = 0) {
        self.seed = seed
        self.payloadByteCount = payloadByteCount
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
        padding = (0..<(payloadByteCount + Self.padShifts)).map { index in
            letters[Int(Self.mix(seed &+ UInt64(index)) % UInt64(letters.count))]
        }
    }

    func values(device: Int, sequence: Int) -> Values {
        let base = Self.mix(seed ^ UInt64(truncatingIfNeeded: device) &* 0xD1B5_4A32_D192_ED03)
        func walk(_ which: Walk, range: Int64) -> Int64 {
            let stream = base &+ which.rawValue &* 0x9E37_79B9_7F4A_7C15
            return Self.noise(stream, at: sequence, grain: 256, range: range)
                + Self.noise(~stream, at: sequence, grain: 8, range: range / 16)
        }
        let draw = Self.mix(base &+ Walk.status.rawValue &+ UInt64(truncatingIfNeeded: sequence) &* 0xBF58_476D_1CE4_E5B9) % 1_000
        return Values(
            temperatureHundredths: 1_500 + Int64(base % 1_000) + walk(.temperature, range: 600),
            humidityHundredths: 5_500 + walk(.humidity, range: 3_500),
            battery: 100 - (Int64(base >> 32 % 60) + Int64(sequence / 500)) % 90,
            rssi: -67 + walk(.rssi, range: 22),
            status: draw < 990 ? "ok" : draw < 997 ? "low-signal" : "calibrating")
    }

    /// Appends the JSON text of one reading.
    /// - Parameter time: µs since the epoch.
    func appendPayload(device: Int, sequence: Int, time: Int64, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(text: #"{"ts":"#)
        bytes.append(decimal: time)
        bytes.append(UInt8(ascii: ","))
        appendMembers(device: device, sequence: sequence, to: &bytes)
        if let pad = pad(sequence: sequence, unpaddedByteCount: bytes.count - start + 1) {
            bytes.append(text: #","pad":""#)
            bytes.append(contentsOf: pad)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Appends the fields as members of a JSON object, without its braces.
    func appendMembers(device: Int, sequence: Int, to bytes: inout [UInt8]) {
        let values = values(device: device, sequence: sequence)
        bytes.append(text: #""seq":"#)
        bytes.append(decimal: Int64(sequence))
        bytes.append(text: #","temperature":"#)
        bytes.append(hundredths: values.temperatureHundredths)
        bytes.append(text: #","humidity":"#)
        bytes.append(hundredths: values.humidityHundredths)
        bytes.append(text: #","battery":"#)
        bytes.append(decimal: values.battery)
        bytes.append(text: #","rssi":"#)
        bytes.append(decimal: values.rssi)
        bytes.append(text: #","status":""#)
        bytes.append(text: values.status)
        bytes.append(UInt8(ascii: "\""))
    }

    /// What an energy meter has counted, hundredths of a kWh: one more with each reading, so that it tells the reading's number.
    func energyHundredths(device: Int, sequence: Int) -> Int64 { energyBase(device: device) + Int64(sequence) }

    /// The number of the reading in which a meter showed this; nil when it never did.
    func sequence(device: Int, energyHundredths: Int64) -> Int? {
        let sequence = energyHundredths - energyBase(device: device)
        return sequence >= 0 ? Int(sequence) : nil
    }

    private func energyBase(device: Int) -> Int64 {
        Int64(Self.mix(seed ^ UInt64(truncatingIfNeeded: device)) % 1_000_000)
    }

    /// The fields the gateway must show for a reading, the time apart.
    func expectedFields(device: Int, sequence: Int, time: Int64) -> [String: JSONValue] {
        let values = values(device: device, sequence: sequence)
        var fields: [String: JSONValue] = [
            "seq": .integer(Int64(sequence)),
            "temperature": .double(Double(values.temperatureHundredths) / 100),
            "humidity": .double(Double(values.humidityHundredths) / 100),
            "battery": .integer(values.battery),
            "rssi": .integer(values.rssi),
            "status": .string(String(describing: values.status)),
        ]
        guard payloadByteCount > 0 else { return fields }
        var payload: [UInt8] = []
        ReadingGenerator(seed: seed).appendPayload(device: device, sequence: sequence, time: time, to: &payload)
        if let pad = pad(sequence: sequence, unpaddedByteCount: payload.count) {
            fields["pad"] = .string(String(decoding: pad, as: UTF8.self))
        }
        return fields
    }

    private func pad(sequence: Int, unpaddedByteCount: Int) -> ArraySlice<UInt8>? {
        let count = payloadByteCount - unpaddedByteCount - Self.padOverhead
        guard count >= 0 else { return nil }
        return padding[(sequence % Self.padShifts)...].prefix(count)
    }

    /// Straight lines between seeded points `grain` apart; each point is in -range...range.
    static func noise(_ stream: UInt64, at position: Int, grain: Int, range: Int64) -> Int64 {
        let (cell, offset) = position.quotientAndRemainder(dividingBy: grain)
        func point(_ index: Int) -> Int64 {
            Int64(mix(stream &+ UInt64(truncatingIfNeeded: index)) % UInt64(2 * range + 1)) - range
        }
        let (a, b) = (point(cell), point(cell + 1))
        return a + (b - a) * Int64(offset) / Int64(grain)
    }

    /// Source: SplitMix64, Steele, Lea and Flood 2014.
    static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
