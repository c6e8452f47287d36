import Telemetry

/// What an MQTT 5 broker marks messages with, so that one which fits several filters is taken once: by the first in the configuration.
///
/// A broker sends such a message once for each filter, or once for all of them, each time with the identifiers of the filters that it
/// sends it for. A copy without the identifier of the first subscription that fits the topic is one too many: that subscription gets, or
/// got, its own.
///
/// Nothing may be lost to a filter that was not subscribed to when the message was published. That is why the identifiers are made from
/// the whole list of filters, and why a connection subscribes with them only when the broker has granted all of the list without: a
/// message with an identifier of this list was published when all its filters were subscribed to, as they were asked for.
struct SubscriptionIdentifiers: Equatable {
    /// Filters that a list may have; more of them go without.
    private static let filterLimit = 1 << 12

    struct Filter: Equatable {
        /// As subscribed.
        var text: String
        var qos: Int
        /// The configuration itself shares it, perhaps with others than this gateway.
        var isSharedByUser = false
        /// Every topic that fits the filter fits the subscription.
        var takesWhole = true
    }

    /// Stands for the list, in steps of `filterLimit`; 0: there are no identifiers, because no two filters overlap, or because a copy for
    /// the one that takes the message is not certain.
    let base: UInt32

    /// - Parameter filters: in the order of the configuration.
    init(filters: [Filter]) {
        guard filters.count < Self.filterLimit, Self.haveOverlap(filters), Self.copiesAreCertain(filters) else {
            base = 0
            return
        }
        var text = ContiguousArray<UInt8>()
        for filter in filters { text += Array(filter.text.utf8) + [0, UInt8(truncatingIfNeeded: filter.qos)] }
        let hash = text.withUnsafeBytes { messageHash(topic: $0, payload: UnsafeRawBufferPointer(start: nil, count: 0)) }
        // Identifiers are 1 to 268 435 455. MQTT 5.0, section 3.8.2.1.2.
        base = max(1, UInt32(truncatingIfNeeded: hash >> 48)) << 12
    }

    /// Of the filter at a place of the list; nil: it has none.
    func identifier(at index: Int) -> UInt32? { base == 0 ? nil : base + UInt32(index) + 1 }

    /// Whether a message with these identifiers was sent for others of the list, and not for the filter at `index`.
    func isForOthers(than index: Int, _ identifiers: [UInt32]) -> Bool {
        guard let wanted = identifier(at: index), !identifiers.contains(wanted) else { return false }
        return identifiers.contains { $0 & ~UInt32(Self.filterLimit - 1) == base }
    }

    private static func haveOverlap(_ filters: [Filter]) -> Bool {
        filters.indices.contains { index in filters[..<index].contains { TopicFilter.overlap($0.text, filters[index].text) } }
    }

    /// Whether, of any two filters that fit, the broker sends a copy for the one that takes the message when it sends one for the other.
    private static func copiesAreCertain(_ filters: [Filter]) -> Bool {
        !filters.indices.contains { later in
            filters[..<later].contains { first in
                guard TopicFilter.overlap(first.text, filters[later].text) else { return false }
                // The second replaces the first. MQTT 5.0, section 3.8.4.
                if first.text == filters[later].text { return true }
                // The later one takes what fits the first one's filter, but not its template.
                return !isCertain(first, besides: filters[later]) || (!first.takesWhole && !isCertain(filters[later], besides: first))
            }
        }
    }

    /// Not so with a lower QoS: the session keeps only the other's copy. Nor where it is shared: its copy may go to somebody else.
    private static func isCertain(_ filter: Filter, besides other: Filter) -> Bool { filter.qos >= other.qos && !filter.isSharedByUser }
}
