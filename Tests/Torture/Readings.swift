import Telemetry
import TelemetryStore

/// Reading `n` of a device, told from its number alone.
struct Readings: Sendable {
    let base: Int64

    /// Neighbours change places, so that every second reading comes late.
    func time(_ number: Int) -> Timestamp { Timestamp(microseconds: base + Int64(number ^ 1) * 1_000) }

    func reading(_ number: Int, of device: String) -> Reading {
        var fields: [String: FieldValue] = ["n": .integer(Int64(number)), "t": .double(Double(number % 1_000) / 10)]
        if number % 7 == 0 { fields["s"] = .string("value \(number)") }
        return Reading(device: device, time: time(number), fields: fields)
    }

    /// The number of the reading at a time.
    func number(at time: Timestamp) -> Int { Int((time.microseconds - base) / 1_000) ^ 1 }
}

/// Reads everything of a device and compares it.
struct Scanner {
    let store: TelemetryStore
    let readings: Readings

    /// Says how many readings there are, and what is wrong with them.
    func check(_ device: String) -> Int {
        var numbers: [Int] = []
        var query = RangeQuery(device: device, start: .distantPast, end: .distantFuture)
        query.order = .ascending
        query.limit = 10_000
        do {
            repeat {
                guard let page = try store.tables[0].range(query) else { break }
                for row in page.times.indices { numbers.append(check(page, row, device)) }
                query.after = page.nextAfter
            } while query.after != nil
        } catch {
            fail("\(error)")
        }
        let count = numbers.count
        if numbers.sorted() != Array(0..<count) { say("wrong \(device): \(count) readings are not 0..<\(count), each once") }
        let stored = store.tables[0].device(device)?.summary.readingCount ?? 0
        if stored != count { say("wrong \(device) counts \(stored) readings, and has \(count)") }
        if count > 0 { checkLatest(device, newest: (0..<count).suffix(2).max { readings.time($0) < readings.time($1) }!) }
        say("stored \(device) \(count)")
        return count
    }

    private func check(_ page: RangePage, _ row: Int, _ device: String) -> Int {
        let number = readings.number(at: page.times[row])
        var fields: [String: FieldValue] = [:]
        for (index, column) in page.columns.enumerated() {
            fields[column.name] = page.cells[row * page.columns.count + index].value(in: page.bytes)
        }
        if fields != readings.reading(number, of: device).fields { say("wrong \(device) \(number): \(fields)") }
        return number
    }

    private func checkLatest(_ device: String, newest: Int) {
        let latest = store.tables[0].latest(device: device, fields: ["n"])
        if latest?.entries.first?.cell.integer != Int64(newest) { say("wrong \(device): the latest value is not \(newest)") }
    }
}
