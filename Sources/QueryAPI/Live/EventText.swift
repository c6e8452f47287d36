import Telemetry
import TelemetryStore

/// Server-sent events. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
struct EventText {
    /// How soon a client comes back, ms.
    private static let retryMilliseconds = 1_000

    private let table: String
    private let time: TimeFormat
    private var json = JSONWriter()

    init(table: String, time: TimeFormat) {
        (self.table, self.time) = (table, time)
    }

    var isEmpty: Bool { json.bytes.isEmpty }

    /// What was written since the last call.
    mutating func takeBytes() -> [UInt8] { json.takeBytes() }

    mutating func retry() { json.bytes.append(text: "retry: \(Self.retryMilliseconds)\n\n") }

    /// Keeps proxies from closing a silent connection.
    mutating func comment() { json.bytes.append(text: ":\n\n") }

    mutating func readings(_ rows: FeedRows) {
        let (table, time) = (table, time)
        for row in rows.rows {
            json.event("reading", id: row.sequence) { json in
                json.key("device")
                json.cell(.bytes(.string, offset: row.device.lowerBound, count: row.device.count), arena: rows.bytes)
                json.member("table", table)
                json.member("time", row.time, as: time)
                json.key("values")
                json.object { json in
                    for value in rows.values[row.values] {
                        json.key(rows.fieldNames[value.field])
                        json.cell(value.cell, arena: rows.bytes)
                    }
                }
            }
        }
    }

    mutating func gap(_ gap: FeedGap) {
        json.event("gap", id: gap.last) { json in
            json.key("dropped")
            if let count = gap.count { json.integer(Int64(count)) } else { json.null() }
            json.member("exact", gap.isExact)
        }
    }

    /// - Parameter id: up to which reading the client has seen everything, so that it may resume there.
    mutating func statistics(id: SequenceNumber, sequence: SequenceNumber, now: Timestamp, rates: RateSampler.Rates?, behind: Int) {
        let time = time
        json.event("stats", id: id) { json in
            json.member("time", now, as: time)
            json.key("sequence")
            json.integer(Int64(clamping: sequence))
            if let rates {
                json.member("messages_per_s", rates.messages)
                json.member("readings_per_s", rates.readings)
            }
            json.member("behind", behind)
        }
    }
}

extension JSONWriter {
    /// - Parameter data: becomes one line, since JSON escapes line ends.
    fileprivate mutating func event(_ name: String, id: SequenceNumber, _ data: (inout JSONWriter) -> Void) {
        bytes.append(text: "event: ")
        bytes.append(text: name)
        bytes.append(text: "\nid: ")
        bytes.append(digits: id, minimumCount: 1)
        bytes.append(text: "\ndata: ")
        line { $0.object(data) }
        bytes.append(ascii: "\n")
    }
}
