/// What a gateway must make of a reading in each dialect that can be verified: the names and types of its fields.
struct ReadingExpectation {
    let dialect: Dialect
    let generator: ReadingGenerator

    /// Without the measurement that a gateway may put before the names of a line's fields, and without a tag that names the device.
    func plain(_ row: DeviceVerifier.Row) -> DeviceVerifier.Row {
        guard dialect == .lineProtocol else { return row }
        let prefix = "\(PayloadEncoder.measurement)."
        var plain = row
        plain.fields = [:]
        for (name, value) in row.fields where name != "device" && name != "host" {
            plain.fields[name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name] = value
        }
        return plain
    }

    /// The number of the reading a row shows; nil when it shows none.
    func sequence(of row: DeviceVerifier.Row, device: Int) -> Int? {
        guard dialect == .value else { return Self.whole(row.fields["seq"]) }
        let energy: Double
        switch row.fields["energy"] {
        case .double(let value): energy = value
        case .integer(let value): energy = Double(value)
        default: return nil
        }
        guard let hundredths = Int64(exactly: (energy * 100).rounded()) else { return nil }
        return generator.sequence(device: device, energyHundredths: hundredths)
    }

    /// A SenML value is a number, whatever it looks like, and may be shown as `12` or as `12.0`.
    private static func whole(_ value: JSONValue?) -> Int? {
        switch value {
        case .integer(let value): Int(exactly: value)
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }

    /// All fields, the time apart.
    func fields(device: Int, sequence: Int, time: Int64) -> [String: JSONValue] {
        switch dialect {
        case .value:
            return ["energy": .double(Double(generator.energyHundredths(device: device, sequence: sequence)) / 100)]
        case .senml:
            return generator.expectedFields(device: device, sequence: sequence, time: time).mapValues { value in
                if case .integer(let value) = value { .double(Double(value)) } else { value }
            }
        default:
            return generator.expectedFields(device: device, sequence: sequence, time: time)
        }
    }
}
