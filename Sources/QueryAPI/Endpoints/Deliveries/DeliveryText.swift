import Telemetry

/// How a delivery is told of.
extension JSONWriter {
    /// Of a task that cannot run nobody knows any more what it was about: null.
    mutating func deliveryMembers(_ delivery: DeliverySnapshot, time format: TimeFormat) {
        member("name", delivery.name)
        for (key, text) in [
            ("table", delivery.table), ("mode", delivery.mode), ("destination", delivery.destination), ("prefix", delivery.prefix),
        ] {
            self.key(key)
            if delivery.isInvalid { null() } else { string(text) }
        }
        member("origin", delivery.origin)
        member("phase", delivery.phase)
        member("state", delivery.state)
        member("error", delivery.error)
        member("detail", delivery.detail)
        member("sync_point", delivery.syncPoint, as: format)
        member("lag_s", seconds: delivery.lag)
        member("late", delivery.isLate)
        member("objects", delivery.objectCount)
        member("rows", delivery.rowCount)
        member("bytes", delivery.byteCount)
        member("dirty_fields", delivery.dirtyFieldCount)
        key("last_object")
        if let object = delivery.lastObject { string(object) } else { null() }
    }

    /// The newest first.
    mutating func history(_ events: [DeliverySnapshot.Event], time format: TimeFormat) {
        key("history")
        array { json in
            for event in events.reversed() {
                json.object { json in
                    json.member("time", event.time, as: format)
                    json.member("event", event.kind)
                    json.key("error")
                    if let error = event.error { json.string(error) } else { json.null() }
                    json.member("detail", event.detail)
                }
            }
        }
    }
}

extension DeliverySnapshot {
    /// It was created over the API, and the configuration has changed since so that it cannot run.
    package var isInvalid: Bool { state == "invalid" }

    package var isFailing: Bool { error != "OK" }

    /// What an operator should know of it, in a sentence; nil: all is well.
    var warning: String? {
        guard isLate || isFailing else { return nil }
        var parts: [String] = []
        if isFailing { parts.append(detail.isEmpty ? error : "\(error): \(detail)") }
        if state == "paused" { parts.append("paused") }
        if lag > .zero { parts.append("\(Self.length(lag)) behind") }
        return "\(name): \(parts.joined(separator: ", "))"
    }

    /// Rounded down: `90 s`, `12 min`, `3 h`, `4 d`.
    private static func length(_ span: TimeSpan) -> String {
        let seconds = span.microseconds / 1_000_000
        return switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) d"
        }
    }
}
