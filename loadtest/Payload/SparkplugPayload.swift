/// Sparkplug B 3.0: a connection is an edge node, its devices are the node's devices. Source: sparkplug.eclipse.org, specification 3.0,
/// chapters 5 and 6, and `sparkplug_b.proto`.
extension PayloadEncoder {
    /// Datatypes of the specification, section 6.4.16.
    private enum DataType: UInt64 {
        case int32 = 3
        case int64 = 4
        case double = 10
        case boolean = 11
        case string = 12
    }

    private static let names: [StaticString] = ["seq", "temperature", "humidity", "battery", "rssi", "status"]
    private static let types: [DataType] = [.int64, .double, .double, .int32, .int32, .string]

    /// DDATA: aliases only, each metric with its reading's time.
    func appendSparkplug(_ readings: MessageReadings, ordinal: Int, to bytes: inout [UInt8]) {
        appendDeviceMessage(readings, ordinal: ordinal, isBirth: false, to: &bytes)
    }

    /// DBIRTH: every metric with name, alias and type.
    func appendSparkplugBirth(_ readings: MessageReadings, ordinal: Int, to bytes: inout [UInt8]) {
        appendDeviceMessage(readings, ordinal: ordinal, isBirth: true, to: &bytes)
    }

    private func appendDeviceMessage(_ readings: MessageReadings, ordinal: Int, isBirth: Bool, to bytes: inout [UInt8]) {
        // Aliases are unique within the edge node.
        let firstAlias = UInt64(readings.device / fleet.connectionCount * Self.names.count)
        bytes.append(protobuf: 1, varint: UInt64(readings.time / 1_000))
        for index in 0..<readings.count {
            let values = values(readings, index)
            let time = UInt64(readings.time(of: index) / 1_000)
            for metric in Self.names.indices {
                bytes.appendMessage(field: 2) { bytes in
                    if isBirth { bytes.append(protobuf: 1, text: Self.names[metric]) }
                    bytes.append(protobuf: 2, varint: firstAlias + UInt64(metric))
                    bytes.append(protobuf: 3, varint: time)
                    if isBirth { bytes.append(protobuf: 4, varint: Self.types[metric].rawValue) }
                    switch metric {
                    case 0: bytes.append(protobuf: 11, varint: UInt64(readings.sequence + index))
                    case 1: bytes.append(protobuf: 13, double: Double(values.temperatureHundredths) / 100)
                    case 2: bytes.append(protobuf: 13, double: Double(values.humidityHundredths) / 100)
                    case 3: bytes.append(protobuf: 10, varint: UInt64(values.battery))
                    // A negative Int32 goes as the unsigned number of the same 32 bits.
                    case 4: bytes.append(protobuf: 10, varint: UInt64(UInt32(bitPattern: Int32(values.rssi))))
                    default: bytes.append(protobuf: 15, text: values.status)
                    }
                }
            }
        }
        bytes.append(protobuf: 3, varint: UInt64(ordinal & 0xFF))
    }

    /// NBIRTH, the first message of a session.
    func appendSparkplugNodeBirth(birthNumber: Int, time: Int64, to bytes: inout [UInt8]) {
        bytes.append(protobuf: 1, varint: UInt64(time / 1_000))
        appendBirthNumber(birthNumber, time: time, to: &bytes)
        bytes.appendMessage(field: 2) { bytes in
            bytes.append(protobuf: 1, text: "Node Control/Rebirth")
            bytes.append(protobuf: 3, varint: UInt64(time / 1_000))
            bytes.append(protobuf: 4, varint: DataType.boolean.rawValue)
            bytes.append(protobuf: 14, varint: 0)
        }
        bytes.append(protobuf: 3, varint: 0)
    }

    /// NDEATH, the connection's will: the birth number of the session it ends, and no sequence number.
    func appendSparkplugNodeDeath(birthNumber: Int, time: Int64, to bytes: inout [UInt8]) {
        bytes.append(protobuf: 1, varint: UInt64(time / 1_000))
        appendBirthNumber(birthNumber, time: time, to: &bytes)
    }

    private func appendBirthNumber(_ number: Int, time: Int64, to bytes: inout [UInt8]) {
        bytes.appendMessage(field: 2) { bytes in
            bytes.append(protobuf: 1, text: "bdSeq")
            bytes.append(protobuf: 3, varint: UInt64(time / 1_000))
            bytes.append(protobuf: 4, varint: DataType.int64.rawValue)
            bytes.append(protobuf: 11, varint: UInt64(number & 0xFF))
        }
    }
}

/// Source: protobuf.dev/programming-guides/encoding.
extension [UInt8] {
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    mutating func append(protobuf field: UInt64, varint value: UInt64) {
        append(varint: field << 3)
        append(varint: value)
    }

    mutating func append(protobuf field: UInt64, double value: Double) {
        append(varint: field << 3 | 1)
        for shift in stride(from: UInt64(0), to: 64, by: 8) { append(UInt8(truncatingIfNeeded: value.bitPattern >> shift)) }
    }

    mutating func append(protobuf field: UInt64, text: StaticString) {
        append(varint: field << 3 | 2)
        append(varint: UInt64(text.utf8CodeUnitCount))
        append(text: text)
    }

    /// A nested message of under 128 bytes, whose length is then one byte: every metric of ours is.
    mutating func appendMessage(field: UInt64, _ body: (inout [UInt8]) -> Void) {
        append(varint: field << 3 | 2)
        let length = count
        append(0)
        body(&self)
        precondition(count - length - 1 < 0x80)
        self[length] = UInt8(count - length - 1)
    }
}
