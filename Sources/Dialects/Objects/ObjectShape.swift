import Telemetry

/// What a dialect's objects look like: which of their keys are no fields.
struct ObjectShape: Sendable {
    enum TimeKey: Sendable {
        /// `ts`, `time`, `timestamp`, in any case; the first that is not null.
        case common
        /// This key alone.
        case named(StaticString)
    }

    enum Envelope: Sendable {
        case none
        /// `{"ts":…,"values":{…}}`
        case values
        /// The same, or named `fields`, and perhaps a `device` beside it.
        case fieldsOrValues
        /// Nothing but `{"device":…,"time":…,"fields":{…}}`; anything else is refused.
        case native
    }

    var timeKey = TimeKey.common
    var envelope = Envelope.fieldsOrValues
    /// The key `device` names the device where the topic does not.
    var hasDeviceKey = true
    /// Devices of this kind write times before they know them, or without a zone. Such a time is none.
    var hasDoubtfulTimes = false

    static let plain = ObjectShape()
    static let native = ObjectShape(envelope: .native)

    /// An object that is the reading, with one key for the time.
    static func flat(timeKey: StaticString, hasDoubtfulTimes: Bool = false) -> ObjectShape {
        ObjectShape(timeKey: .named(timeKey), envelope: .none, hasDeviceKey: false, hasDoubtfulTimes: hasDoubtfulTimes)
    }

    func isTime(_ key: UnsafeRawBufferPointer) -> Bool {
        switch timeKey {
        case .named(let name): return key == name
        case .common:
            switch key.count {
            case 2: return key.equalsIgnoringCase("ts")
            case 4: return key.equalsIgnoringCase("time")
            case 9: return key.equalsIgnoringCase("timestamp")
            default: return false
            }
        }
    }

    func isDevice(_ key: UnsafeRawBufferPointer) -> Bool { hasDeviceKey && key == "device" }

    func isEnvelope(_ key: UnsafeRawBufferPointer) -> Bool {
        switch envelope {
        case .none: false
        case .values: key == "values"
        case .fieldsOrValues, .native: key == "values" || key == "fields"
        }
    }
}
