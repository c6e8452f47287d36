/// The object of `json` in CBOR. Source: RFC 8949, sections 3.1 and 3.3.
extension PayloadEncoder {
    func appendCBOR(_ readings: MessageReadings, to bytes: inout [UInt8]) {
        if readings.count > 1 { bytes.append(cborHead: 4, UInt64(readings.count)) }
        for index in 0..<readings.count {
            let values = values(readings, index)
            bytes.append(cborHead: 5, 7)
            bytes.append(cbor: "ts")
            bytes.append(cbor: readings.time(of: index))
            bytes.append(cbor: "seq")
            bytes.append(cbor: Int64(readings.sequence + index))
            bytes.append(cbor: "temperature")
            bytes.append(cbor: Double(values.temperatureHundredths) / 100)
            bytes.append(cbor: "humidity")
            bytes.append(cbor: Double(values.humidityHundredths) / 100)
            bytes.append(cbor: "battery")
            bytes.append(cbor: values.battery)
            bytes.append(cbor: "rssi")
            bytes.append(cbor: values.rssi)
            bytes.append(cbor: "status")
            bytes.append(cbor: values.status)
        }
    }
}

extension [UInt8] {
    /// Major type and argument, in the shortest form.
    mutating func append(cborHead major: UInt8, _ argument: UInt64) {
        let type = major << 5
        switch argument {
        case ..<24: append(type | UInt8(argument))
        case ...0xFF:
            append(type | 24)
            append(UInt8(argument))
        case ...0xFFFF:
            append(type | 25)
            append(bigEndian: argument, byteCount: 2)
        case ...0xFFFF_FFFF:
            append(type | 26)
            append(bigEndian: argument, byteCount: 4)
        default:
            append(type | 27)
            append(bigEndian: argument, byteCount: 8)
        }
    }

    mutating func append(cbor value: Int64) {
        if value < 0 { append(cborHead: 1, UInt64(-1 - value)) } else { append(cborHead: 0, UInt64(value)) }
    }

    mutating func append(cbor value: Double) {
        append(0xFB)
        append(bigEndian: value.bitPattern, byteCount: 8)
    }

    mutating func append(cbor value: StaticString) {
        append(cborHead: 3, UInt64(value.utf8CodeUnitCount))
        append(text: value)
    }

    private mutating func append(bigEndian value: UInt64, byteCount: Int) {
        for index in (0..<byteCount).reversed() { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
}
