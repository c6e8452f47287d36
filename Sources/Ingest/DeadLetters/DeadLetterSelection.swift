import CMosquitto
import Telemetry

/// Which letters are meant; all that is given must hold.
package struct DeadLetterSelection: Sendable {
    package var reason: RejectReason?
    /// A topic, or a filter with `+` and `#`.
    package var topic: String?
    package var since: Timestamp?

    package init() {}

    /// True for a topic that MQTT does not allow in a subscription.
    package var hasInvalidTopic: Bool { topic.map { mosquitto_sub_topic_check($0) != 0 } ?? false }

    func contains(_ letter: DeadLetterLine) -> Bool {
        if let reason, letter.reason != reason.rawValue { return false }
        if let since, letter.time < since { return false }
        guard let topic else { return true }
        var matches = false
        return mosquitto_topic_matches_sub(topic, letter.topic, &matches) == 0 && matches
    }
}
