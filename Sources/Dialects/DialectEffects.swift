import Telemetry

/// What decoding asks for besides readings. Whoever commits the readings takes it, or throws it away with them.
package struct DialectEffects: Sendable {
    /// What the next messages need to be understood; to be kept durably with the commit that acks this one.
    package struct Note: Sendable, Equatable {
        /// `sparkplug/<group>/<edge node>`; unique among the messages of one broker.
        package var source: String
        /// Empty: forget the note.
        package var bytes: [UInt8]
    }

    /// A message to the broker, QoS 0, not retained; sent after the commit.
    package struct Request: Sendable, Equatable {
        package var topic: [UInt8]
        package var payload: [UInt8]
    }

    /// At most one for each source.
    package var notes: [Note] = []
    package var requests: [Request] = []
    /// Messages missing in a numbered sequence.
    package var sequenceGaps = 0
    /// Metrics whose alias, or whose integer's datatype, nobody has explained.
    package var unknownAliases = 0
    /// Metrics of births whose values cannot be stored, and were left out.
    package var ignoredMetrics = 0

    package init() {}

    package var isEmpty: Bool {
        notes.isEmpty && requests.isEmpty && sequenceGaps == 0 && unknownAliases == 0 && ignoredMetrics == 0
    }

    package mutating func merge(_ others: DialectEffects) {
        guard !others.isEmpty else { return }
        for note in others.notes { set(note) }
        requests += others.requests
        sequenceGaps += others.sequenceGaps
        unknownAliases += others.unknownAliases
        ignoredMetrics += others.ignoredMetrics
    }

    /// The newest of a source counts.
    package mutating func set(_ note: Note) {
        if let index = notes.firstIndex(where: { $0.source == note.source }) { notes[index] = note } else { notes.append(note) }
    }
}
