import Telemetry
import TelemetryStore

/// "The last hour by minute": the averages of the numeric fields of one device.
struct AggregateQuestion {
    let set: DataSet

    func ask(_ table: Table, _ names: DeviceNames, _ draw: inout Draw, count: Int) throws -> [(String, Double)] {
        let fields = set.variant.fields.filter { $0.kind != .status }.map { String(decoding: $0.name, as: UTF8.self) }
        // Whole minutes at the end of the data set, an hour at most.
        let minutes = min(60, (set.endMilliseconds - DataSet.firstMilliseconds) / 60_000)
        guard minutes > 0 else { return [] }
        var latencies = Latencies()
        for round in 0..<count + count / 4 {
            let name = names.string(draw.next())
            var query = AggregateQuery(device: name, start: set.end - .minutes(minutes), end: set.end, step: .minutes(1))
            query.fields = fields
            let start = Usage.nanoseconds()
            let page = try table.aggregate(query)
            if round >= count / 4 { latencies.add(Usage.nanoseconds() - start) }
            guard let page, page.times.count == Int(minutes), !page.cells.contains(where: { $0.type == nil }) else {
                throw BenchError("\(name): \(page?.times.count ?? 0) windows instead of \(minutes)")
            }
        }
        return latencies.report("hour_by_minute")
    }
}
