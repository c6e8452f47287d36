/// A number with its unit behind it, as `21.5 °C`. Only units of this list, so that `3D` and `5 minutes ago` stay texts.
struct MeasuredText {
    let number: UnsafeRawBufferPointer
    let unit: UnsafeRawBufferPointer

    /// Nil: not a number, at most one blank, and a known unit.
    init?(_ text: UnsafeRawBufferPointer) {
        let digits = text.prefix { byte in
            byte &- 0x30 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
        }
        guard !digits.isEmpty, digits.count < text.count, text.count - digits.count <= 8 else { return nil }
        let start = digits.count + (text[digits.count] == 0x20 ? 1 : 0)
        let (number, unit) = (text.slice(0..<digits.count), text.slice(start..<text.count))
        guard NumberText.read(number) != nil, Self.units.contains(where: { unit == $0 }) else { return nil }
        (self.number, self.unit) = (number, unit)
    }

    private static let units: [StaticString] = [
        "%", "°C", "°F", "°", "C", "F", "K", "V", "mV", "kV", "A", "mA", "W", "mW", "kW", "MW", "VA", "kVA", "var", "kvar", "Wh", "kWh",
        "MWh", "varh", "kvarh", "Ah", "mAh", "Hz", "kHz", "MHz", "GHz", "Pa", "hPa", "kPa", "MPa", "bar", "mbar", "psi", "mm", "cm", "m",
        "km", "m²", "m³", "m2", "m3", "l", "L", "m/s", "km/h", "mph", "kn", "l/h", "l/min", "L/min", "m³/h", "m3/h", "g", "kg", "t", "ppm",
        "ppb", "µg/m³", "μg/m³", "mg/m³", "g/m³", "lx", "lm", "cd", "dB", "dBm", "ms", "s", "min", "h", "d", "rpm", "Ω", "kΩ", "MΩ", "J",
        "kJ", "MJ", "N", "kN", "Nm", "pH", "µS/cm", "μS/cm", "mS/cm", "W/m²", "mm/h", "B", "kB", "MB", "GB",
    ]
}
