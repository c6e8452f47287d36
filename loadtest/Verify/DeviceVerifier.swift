/// Compares one device's acknowledged readings with its readable ones; pure, fed row by row, oldest row first.
///
/// What must hold: times and sequence numbers both rise strictly, of the readings in order and of the late ones apart; each row is a
/// reading the run sent, with equal values; each acknowledged reading is there. A reading that was sent and not acknowledged may be there
/// or not.
struct DeviceVerifier {
    struct Row: Equatable {
        /// µs since the epoch.
        var time: Int64
        /// Without the time; nulls left out.
        var fields: [String: JSONValue]
    }

    /// Readings that must come in the order of their numbers.
    private struct Chain {
        var acknowledged: ArraySlice<AcknowledgedReading>
        var next: Int
        var newest: (time: Int64, sequence: Int)?

        init(_ acknowledged: ArraySlice<AcknowledgedReading>) {
            self.acknowledged = acknowledged
            next = acknowledged.startIndex
        }
    }

    let device: Int
    private let name: String
    private let expectation: ReadingExpectation
    private let description: RunDescription
    /// Readings; nil: unknown, the run did not come to its end.
    private let sentCount: Int?
    private var chains: [Chain]
    private static let (inOrder, late) = (0, 1)

    private(set) var readableCount = 0
    private(set) var missing: [AcknowledgedReading] = []
    private(set) var differences: [Difference] = []

    /// - Parameter acknowledged: in the order of their sequence numbers.
    init(
        device: Int, description: RunDescription, generator: ReadingGenerator, acknowledged: ArraySlice<AcknowledgedReading>,
        sentCount: Int?
    ) {
        self.device = device
        self.sentCount = sentCount
        self.description = description
        expectation = ReadingExpectation(dialect: description.dialect, generator: generator)
        name = description.naming.name(of: device)
        if description.faults.lateFraction > 0 {
            func isLate(_ reading: AcknowledgedReading) -> Bool { description.isLate(device: device, sequence: Int(reading.sequence)) }
            chains = [Chain(ArraySlice(acknowledged.filter { !isLate($0) })), Chain(ArraySlice(acknowledged.filter(isLate)))]
        } else {
            chains = [Chain(acknowledged), Chain([])]
        }
    }

    mutating func add(_ row: Row) {
        readableCount += 1
        let row = expectation.plain(row)
        guard let sequence = expectation.sequence(of: row, device: device), UInt32(exactly: sequence) != nil, isSent(sequence) else {
            return note(.invented, row, "no reading with this sequence number was sent")
        }
        if description.isLate(device: device, sequence: sequence) {
            check(row, sequence: sequence, in: Self.late)
        } else {
            check(row, sequence: sequence, in: Self.inOrder)
        }
    }

    /// Call once after the last row.
    mutating func finish() {
        for chain in chains.indices { skipMissing(before: nil, in: chain) }
    }

    private func isSent(_ sequence: Int) -> Bool {
        (sentCount.map { sequence < $0 } ?? true) && !description.isBad(device: device, sequence: sequence)
    }

    private mutating func check(_ row: Row, sequence: Int, in chain: Int) {
        if let newest = chains[chain].newest, sequence <= newest.sequence || row.time <= newest.time {
            return note(.duplicate, row, "sequence \(sequence) after sequence \(newest.sequence) at \(newest.time)")
        }
        chains[chain].newest = (row.time, sequence)
        skipMissing(before: UInt32(sequence), in: chain)
        if chains[chain].next < chains[chain].acknowledged.endIndex, chains[chain].acknowledged[chains[chain].next].sequence == sequence {
            let time = chains[chain].acknowledged[chains[chain].next].time
            if description.dialect.isTimed, time != row.time {
                note(.wrongTime, row, "sequence \(sequence) was sent with \(time)")
            }
            chains[chain].next += 1
        }
        compare(row, sequence: sequence)
    }

    private mutating func skipMissing(before sequence: UInt32?, in chain: Int) {
        while chains[chain].next < chains[chain].acknowledged.endIndex,
            sequence.map({ chains[chain].acknowledged[chains[chain].next].sequence < $0 }) ?? true
        {
            missing.append(chains[chain].acknowledged[chains[chain].next])
            chains[chain].next += 1
        }
    }

    private mutating func compare(_ row: Row, sequence: Int) {
        let expected = expectation.fields(device: device, sequence: sequence, time: row.time)
        for (field, value) in expected where row.fields[field]?.matches(value) != true {
            note(.wrongValue, row, "\(field) is \(row.fields[field].map { "\($0)" } ?? "absent"), sent was \(value)")
        }
        for field in row.fields.keys where expected[field] == nil {
            note(.wrongValue, row, "field \(field) was never sent")
        }
    }

    private mutating func note(_ kind: Difference.Kind, _ row: Row, _ detail: String) {
        differences.append(Difference(kind: kind, device: name, time: row.time, detail: detail))
    }

    var isEqual: Bool { missing.isEmpty && differences.isEmpty }

    var missingDifferences: [Difference] {
        missing.map { Difference(kind: .missing, device: name, time: $0.time, detail: "sequence \($0.sequence) was acknowledged") }
    }
}

/// One thing that is not as it was acknowledged.
struct Difference: Codable, Equatable, Sendable, CustomStringConvertible {
    enum Kind: String, Codable, Sendable {
        case missing, duplicate, invented
        case wrongTime = "wrong-time"
        case wrongValue = "wrong-value"
    }

    var kind: Kind
    var device: String
    /// µs since the epoch.
    var time: Int64
    var detail: String

    var description: String { "\(kind.rawValue): device \(device) time \(time): \(detail)" }
}
