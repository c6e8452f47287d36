import Telemetry

/// Turns the metrics of a payload into readings, one for each time.
struct SparkplugRows: ~Copyable {
    private struct Entry {
        var time: Timestamp
        var index: Int
    }

    /// Of metrics to store, by time.
    private var entries: [Entry] = []
    private var name = ScratchBytes()

    init() {}

    /// - Parameter generation: the birth that explains metrics without a name; every alias is known to it.
    /// - Parameter isBirth: a metric whose value cannot be stored is left out; in data it rejects the message.
    /// - Returns: metrics left out.
    mutating func append(
        _ payload: SparkplugPayload, explainedBy generation: SparkplugGeneration?, isBirth: Bool, device: UnsafeRawBufferPointer,
        to batch: inout ReadingBatch, builder: inout ReadingBuilder
    ) throws(Rejection) -> Int {
        var ignored = 0
        try sort(payload)
        var position = 0
        while position < entries.count {
            let time = entries[position].time
            try builder.begin(device: device, time: time == .distantPast ? nil : time, in: &batch)
            // A birth of more metrics than a reading has fields becomes several readings of the same time.
            let fieldLimit = Limits.fieldsPerReading - min(builder.topicFieldCount, Limits.fieldsPerReading - 1)
            var fieldCount = 0
            while position < entries.count, entries[position].time == time, fieldCount < fieldLimit {
                let metric = payload.metrics[entries[position].index]
                position += 1
                let number = metric.number(in: generation)
                try setName(metric, number, generation)
                guard !SparkplugPayload.isBookkeeping(name.bytes) else { continue }
                do throws(Rejection) {
                    try builder.append(name.bytes, metric.value, datatype: metric.datatype(in: generation), in: &batch)
                    fieldCount += 1
                } catch {
                    guard isBirth else { throw error }
                    ignored += 1
                }
            }
            if fieldCount > 0 { try builder.end(in: &batch) } else { batch.cancelReading() }
        }
        return ignored
    }

    private mutating func setName(_ metric: SparkplugMetric, _ number: Int?, _ generation: SparkplugGeneration?)
        throws(Rejection)
    {
        name.removeAll()
        if let given = metric.name {
            guard given.isValidUTF8 else { throw Rejection(.undecodable, "a metric's name is not UTF-8 text") }
            name.append(given)
        } else if let number {
            generation?.append(number, to: &name)
        }
    }

    /// In the order of the payload within a time, so that of two values of one metric the later one counts.
    private mutating func sort(_ payload: SparkplugPayload) throws(Rejection) {
        entries.removeAll(keepingCapacity: true)
        var isSorted = true
        for (index, metric) in payload.metrics.enumerated() where metric.isStored {
            let time = try Self.time(metric.timestamp ?? payload.timestamp)
            if let last = entries.last, time < last.time { isSorted = false }
            entries.append(Entry(time: time, index: index))
        }
        if !isSorted { entries.sort { ($0.time, $0.index) < ($1.time, $1.index) } }
    }

    /// `.distantPast`: not given.
    private static func time(_ milliseconds: UInt64?) throws(Rejection) -> Timestamp {
        guard let milliseconds else { return .distantPast }
        let (microseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow, let time = Int64(exactly: microseconds) else {
            throw Rejection(.badTime, "\(milliseconds) ms is beyond the times there are")
        }
        return Timestamp(microseconds: time)
    }
}

extension SparkplugMetric {
    /// Whether it has a value of a kind that is stored. NaN and infinities are none, as null is.
    fileprivate var isStored: Bool {
        if isNull { return false }
        switch value {
        case .none: return false
        case .float(let value): return value.isFinite
        case .double(let value): return value.isFinite
        default: return true
        }
    }
}
