/// Compares one device's acknowledged readings with its readable ones; pure, fed row by row, oldest row first.
///
/// What must hold: times and sequence numbers both rise strictly; each row is a reading the run sent, with equal values; each acknowledged
/// reading is there. A reading that was sent and not acknowledged may be there or not.
struct DeviceVerifier {
    struct Row: Equatable {
        /// µs since the epoch.
        var time: Int64
        /// Without the time; nulls left out.
        var fields: [String: JSONValue]
    }

    let device: Int
    private let name: String
    private let generator: ReadingGenerator
    /// In the order of their sequence numbers.
    private let acknowledged: ArraySlice<AcknowledgedReading>
    /// Nil: unknown, the run did not come to its end.
    private let sentCount: Int?
    private var next: Int
    private var newest: (time: Int64, sequence: Int)?

    private(set) var readableCount = 0
    private(set) var missing: [AcknowledgedReading] = []
    private(set) var differences: [Difference] = []

    init(
        device: Int, description: RunDescription, generator: ReadingGenerator, acknowledged: ArraySlice<AcknowledgedReading>,
        sentCount: Int?
    ) {
        self.device = device
        self.generator = generator
        self.acknowledged = acknowledged
        self.sentCount = sentCount
        name = description.naming.name(of: device)
        next = acknowledged.startIndex
    }

    mutating func add(_ row: Row) {
        readableCount += 1
        guard case .integer(let number)? = row.fields["seq"], let sequence = UInt32(exactly: number), isSent(Int(sequence)) else {
            return note(.invented, row, "no reading with this sequence number was sent")
        }
        if let newest, Int(sequence) <= newest.sequence || row.time <= newest.time {
            return note(.duplicate, row, "sequence \(sequence) after sequence \(newest.sequence) at \(newest.time)")
        }
        newest = (row.time, Int(sequence))
        skipMissing(before: sequence)
        if next < acknowledged.endIndex, acknowledged[next].sequence == sequence {
            if acknowledged[next].time != row.time {
                note(.wrongTime, row, "sequence \(sequence) was sent with \(acknowledged[next].time)")
            }
            next += 1
        }
        compare(row, sequence: Int(sequence))
    }

    /// Call once after the last row.
    mutating func finish() { skipMissing(before: nil) }

    private func isSent(_ sequence: Int) -> Bool { sentCount.map { sequence < $0 } ?? true }

    private mutating func skipMissing(before sequence: UInt32?) {
        while next < acknowledged.endIndex, sequence.map({ acknowledged[next].sequence < $0 }) ?? true {
            missing.append(acknowledged[next])
            next += 1
        }
    }

    private mutating func compare(_ row: Row, sequence: Int) {
        let expected = generator.expectedFields(device: device, sequence: sequence, time: row.time)
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
