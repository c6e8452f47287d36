import Telemetry

/// Times as a subscription's devices write them.
struct TimeReader: Sendable {
    let unit: DialectOptions.TimeUnit
    /// For text without a zone, seconds east of UTC.
    let zoneOffset: Int?

    init(_ options: DialectOptions) { self.init(unit: options.timeUnit, zoneOffset: options.zoneOffset) }

    private init(unit: DialectOptions.TimeUnit, zoneOffset: Int?) {
        self.unit = unit
        self.zoneOffset = zoneOffset
    }

    /// For encodings that say themselves what a number is.
    static let seconds = TimeReader(unit: .seconds, zoneOffset: nil)

    /// Nil: beyond the times there are.
    func time(_ value: Int64) -> Timestamp? {
        guard let factor = microsecondsPerUnit else {
            return unit == .auto ? Timestamp(epoch: value) : Timestamp(microseconds: value.floorDivided(by: 1_000))
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        // The least of all times stands for none.
        return overflow || product == .min ? nil : Timestamp(microseconds: product)
    }

    /// Nil: not finite, or beyond the times there are.
    func time(_ value: Double) -> Timestamp? {
        guard unit != .auto else { return Timestamp(epoch: value) }
        let microseconds = (value * (microsecondsPerUnit.map(Double.init) ?? 1e-3)).rounded()
        guard microseconds.magnitude < 9.2e18 else { return nil }
        return Timestamp(microseconds: Int64(microseconds))
    }

    /// RFC 3339, or ISO 8601 without a zone where `zoneOffset` says which. Nil: neither.
    func time(_ text: UnsafeRawBufferPointer) -> Timestamp? {
        if let time = Timestamp(rfc3339: text) { return time }
        // "2018-03-02T18:25:03" with up to nine digits of a fraction.
        guard let zoneOffset, (19...29).contains(text.count) else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { zoned in
            zoned.copyMemory(from: text)
            zoned[text.count] = UInt8(ascii: "Z")
            let time = Timestamp(rfc3339: UnsafeRawBufferPointer(rebasing: zoned[...text.count]))
            return time.map { $0 - .seconds(Int64(zoneOffset)) }
        }
    }

    /// True for a time that would be one if its zone were known.
    func lacksZone(_ text: UnsafeRawBufferPointer) -> Bool {
        zoneOffset == nil && Timestamp(rfc3339: text) == nil && TimeReader(unit: unit, zoneOffset: 0).time(text) != nil
    }

    /// Nil for `auto` and for nanoseconds.
    private var microsecondsPerUnit: Int64? {
        switch unit {
        case .auto, .nanoseconds: nil
        case .seconds: 1_000_000
        case .milliseconds: 1_000
        case .microseconds: 1
        case .minutes: 60_000_000
        case .hours: 3_600_000_000
        }
    }
}
