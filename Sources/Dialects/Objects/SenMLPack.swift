import Telemetry

/// What holds from record to record of a SenML pack: base values, and the reading under way. Source: RFC 8428, section 4.
struct SenMLPack {
    /// Times below it are relative to now. Section 4.5.3.
    private static let earliestAbsoluteTime = Double(1 << 28)

    private let receiveTime: Timestamp
    private var base: (name: UnsafeRawBufferPointer?, unit: UnsafeRawBufferPointer?)
    private var baseTime: SenMLRecord.Number?
    private var baseValue: SenMLRecord.Number?
    private var baseSum: SenMLRecord.Number?
    /// Some reading has a time that was computed from the time of receipt.
    private(set) var isTimedByReceipt = false

    init(receiveTime: Timestamp) { self.receiveTime = receiveTime }

    /// Base values hold for the record that has them and for all behind it.
    mutating func take(_ record: SenMLRecord) {
        base = (record.baseName ?? base.name, record.baseUnit ?? base.unit)
        baseTime = record.baseTime ?? baseTime
        baseValue = record.baseValue ?? baseValue
        baseSum = record.baseSum ?? baseSum
    }

    func number(_ value: SenMLRecord.Number) -> SenMLRecord.Number { baseValue.map { $0 + value } ?? value }

    func sum(of record: SenMLRecord) -> SenMLRecord.Number? {
        guard let sum = record.sum else { return baseSum }
        return baseSum.map { $0 + sum } ?? sum
    }

    /// Nil: now.
    mutating func time(of record: SenMLRecord) throws(Rejection) -> Timestamp? {
        let zero = SenMLRecord.Number.integer(0)
        let seconds = (baseTime ?? zero) + (record.time ?? zero)
        if seconds.double == 0 { return nil }
        let time: Timestamp? =
            switch seconds {
            case .integer(let value): TimeReader.seconds.time(value)
            case .double(let value): TimeReader.seconds.time(value)
            }
        guard let time else { throw Rejection(.badTime, "a time beyond all that there are") }
        guard seconds.double < Self.earliestAbsoluteTime else { return time }
        isTimedByReceipt = true
        return receiveTime + TimeSpan(microseconds: time.microseconds)
    }

    /// Which device a record speaks of, and what it calls the field.
    ///
    /// With a base name and a name, the former is the device and the latter the field. One of them alone is split at its last `/`, or else
    /// at its last `:` or `_`; a device URN `urn:dev:<type>:<id>` is not split, nor is a base name. Separators between the two belong to
    /// neither. Where no name is left for the field, the unit is its name, or else `value`.
    func names(of record: SenMLRecord, topicHasDevice: Bool) -> (device: UnsafeRawBufferPointer?, field: UnsafeRawBufferPointer) {
        let unit = record.unit ?? base.unit
        let other = unit.flatMap { $0.count > 0 ? $0 : nil } ?? UnsafeRawBufferPointer("value" as StaticString)
        let name = record.name.flatMap { $0.count > 0 ? $0 : nil }
        let baseName = base.name.flatMap { $0.count > 0 ? $0 : nil }
        guard let name else { return (baseName.map { Self.trim($0) }, other) }
        if baseName == nil, !topicHasDevice {
            guard let split = Self.split(name) else { return (Self.trim(name), other) }
            let field = Self.trim(UnsafeRawBufferPointer(rebasing: name[split...]))
            return (Self.trim(UnsafeRawBufferPointer(rebasing: name[..<split])), field.count > 0 ? field : other)
        }
        let field = Self.trim(name)
        return (baseName.map { Self.trim($0) }, field.count > 0 ? field : other)
    }

    /// Where the device ends; nil: the whole name is the device.
    private static func split(_ name: UnsafeRawBufferPointer) -> Int? {
        if let slash = name.lastIndex(of: UInt8(ascii: "/")) { return slash }
        var start = 0
        if name.starts(with: "urn:dev:") {
            // Behind the type, the device's own id begins.
            let id = name[8...].firstIndex(of: UInt8(ascii: ":"))
            guard let id else { return nil }
            start = id + 1
        }
        return name[start...].lastIndex { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "_") }
    }

    /// Without separators at both ends.
    private static func trim(_ name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        func isSeparator(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "_") }
        var (start, end) = (0, name.count)
        while start < end, isSeparator(name[start]) { start += 1 }
        while end > start, isSeparator(name[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: name[start..<end])
    }
}
