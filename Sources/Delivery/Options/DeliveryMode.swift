/// Which rows a task delivers, and when.
package enum DeliveryMode: String, Sendable, CaseIterable {
    /// Each partition once it is sealed and old enough; rows that come late to it, when they are sealed.
    case aged
    /// Rows that come after the task began, in objects closed by size or by age.
    case incremental
    /// All rows that there are when the task begins, once.
    case full
    /// All rows: first those that are there, then as `incremental`.
    case differential

    /// On disk: never renumber.
    var code: UInt8 {
        switch self {
        case .aged: 0
        case .incremental: 1
        case .full: 2
        case .differential: 3
        }
    }

    init?(code: UInt8) {
        guard let mode = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = mode
    }

    /// Delivers rows of windows that are still open.
    var followsWrites: Bool { self == .incremental || self == .differential }
}

/// Of what time the variables of a prefix speak.
package enum PrefixTime: String, Sendable, CaseIterable {
    /// That of the reading.
    case reading
    /// When the task took the row: in modes that follow writes at most `max_object_age` after it was written.
    case write
}
