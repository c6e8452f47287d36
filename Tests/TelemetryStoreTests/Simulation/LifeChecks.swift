import Telemetry

@testable import TelemetryStore

/// Everything that can be read, against the model.
extension Life {
    var model: Model { memory.model }

    /// Counts, every device's latest values, and some ranges of one device.
    func check(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        try checkCounts()
        let devices = model.devices.keys.sorted()
        for device in devices { try checkDevice(device) }
        guard let device = devices.randomElement(using: &random) else { return }
        try checkRange(randomQuery(device, .descending, &random))
        try checkRange(randomQuery(device, .ascending, &random))
        try checkAggregate(randomAggregate(device, &random))
    }

    /// Every row and version of every device, in both orders.
    func checkWholly() throws {
        try checkCounts()
        for device in model.devices.keys.sorted() { try checkDevice(device) }
        try checkRows()
    }

    func checkRows() throws {
        for device in model.devices.keys.sorted() {
            try checkLatest(device)
            for order in [RangeQuery.Order.descending, .ascending] {
                var query = RangeQuery(device: device, start: .distantPast, end: .distantFuture)
                query.versions = options.maxVersions
                query.order = order
                try checkRange(query)
            }
        }
    }

    /// The newest version of every cell.
    func checkValues() throws {
        for device in model.devices.keys.sorted() {
            try checkLatest(device)
            try checkRange(RangeQuery(device: device, start: .distantPast, end: .distantFuture))
        }
    }

    private func checkCounts() throws {
        let summary = table.summary()
        try agree(summary.rowCount == model.rowCount || isDropUnderWay, "\(summary.rowCount) rows, expected \(model.rowCount)")
        try agree(summary.deviceCount == model.devices.count, "\(summary.deviceCount) devices, expected \(model.devices.count)")
        try agree(store!.sequence == model.sequence, "sequence \(store!.sequence), expected \(model.sequence)")
        try agree(store!.note(from: "test") == model.note, "the note is not the last commit's")
        let listed = table.devices(prefix: "", state: nil, after: nil, limit: 100).map(\.id)
        try agree(listed == model.devices.keys.sorted(), "devices \(listed), expected \(model.devices.keys.sorted())")
        for partition in table.partitions() where !isDropUnderWay {
            let range = partition.start.microseconds..<partition.end.microseconds
            let count = model.devices.keys.reduce(0) { $0 + model.rows($1, expiry: .min, in: range).count }
            try agree(partition.rowCount == count, "\(partition.rowCount) rows from \(partition.start.rfc3339), expected \(count)")
        }
    }

    private func checkDevice(_ name: String) throws {
        let expected = model.devices[name]!
        guard let summary = table.device(name)?.summary else { throw Disagreement("\(name) is unknown") }
        try agree(
            summary.readingCount == expected.storedCount, "\(summary.readingCount) readings of \(name), expected \(expected.storedCount)")
        try agree(
            summary.firstSeen.microseconds == expected.firstSeen && summary.lastSeen.microseconds == expected.lastSeen,
            "\(name) seen \(summary.firstSeen.rfc3339) to \(summary.lastSeen.rfc3339), expected "
                + "\(Timestamp(microseconds: expected.firstSeen).rfc3339) to \(Timestamp(microseconds: expected.lastSeen).rfc3339)")
        try checkLatest(name)
    }

    private func checkLatest(_ name: String) throws {
        let expiry = (clock.now() - options.table.ttl).microseconds
        let expected = model.devices[name]!.newest.filter { $0.value.time >= expiry }
        guard let latest = table.latest(device: name, fields: nil) else { throw Disagreement("no latest values of \(name)") }
        try agree(latest.entries.map(\.field) == expected.keys.sorted(), "latest fields of \(name): \(latest.entries.map(\.field))")
        for entry in latest.entries {
            let value = entry.cell.value(in: latest.bytes)
            guard let wanted = expected[entry.field], wanted.time == entry.time.microseconds, wanted.value.isSame(as: value) else {
                throw Disagreement("latest \(entry.field) of \(name) is \(value?.brief ?? "-") at \(entry.time.microseconds)")
            }
        }
    }

    // MARK: - Ranges

    private func randomQuery(_ device: String, _ order: RangeQuery.Order, _ random: inout SeededGenerator) -> RangeQuery {
        let now = clock.now()
        var query = RangeQuery(
            device: device, start: now - .seconds(Int64.random(in: 1...random.pick([20, 4_000]), using: &random)),
            end: now + .seconds(Int64.random(in: -3...10, using: &random)))
        if random.chance(1, in: 4) { query.start = query.start + TimeSpan(microseconds: Int64.random(in: 0...999_999, using: &random)) }
        query.order = order
        query.limit = Int.random(in: 1...random.pick([3, 20, 1_000]), using: &random)
        query.versions = Int.random(in: 1...(options.maxVersions + 1), using: &random)
        let fields: [[String]?] = [
            nil, nil, ["a"], ["c", "b"], ["status"], ["temperature", "count"], ["nothing", "a"], ["a", "b", "a"],
        ]
        query.fields = random.pick(fields)
        return query
    }

    /// Page by page to the end.
    func checkRange(_ query: RangeQuery) throws {
        var query = query
        guard query.start < query.end else { return }
        let expiry = (clock.now() - options.table.ttl).microseconds
        var expected = Array(model.rows(query.device, expiry: expiry, in: query.start.microseconds..<query.end.microseconds))
        if let fields = query.fields { expected = expected.filter { row in fields.contains { row.fields[$0] != nil } } }
        if query.order == .descending { expected.reverse() }
        var position = 0
        repeat {
            guard let page = try table.range(query) else { throw Disagreement("\(query): unknown device") }
            try agree(page.times.count <= query.limit, "\(query): a page of \(page.times.count) rows")
            for row in page.times.indices {
                guard position < expected.count, page.times[row].microseconds == expected[position].time else {
                    throw Disagreement(
                        "\(query): row \(position) at \(page.times[row].microseconds), expected "
                            + (position < expected.count ? "\(expected[position].time)" : "none"))
                }
                try checkRow(page, row, expected[position].fields, query)
                position += 1
            }
            query.after = page.nextAfter
        } while query.after != nil
        try agree(position == expected.count, "\(query): \(position) rows, expected \(expected.count)")
    }

    private func checkRow(_ page: RangePage, _ row: Int, _ fields: [String: [Model.Version]], _ query: RangeQuery) throws {
        for (index, column) in page.columns.enumerated() {
            let expected = fields[column.name] ?? []
            let cell = row * page.columns.count + index
            let value = page.cells[cell].value(in: page.bytes)
            guard value.map({ $0.isSame(as: expected.first?.value) }) ?? expected.isEmpty else {
                throw Disagreement(
                    "\(query): \(column.name) at \(page.times[row].microseconds) is \(value?.brief ?? "absent"), expected "
                        + (expected.first?.value.brief ?? "none"))
            }
            guard let versions = page.versions else { continue }
            let range = versions.offsets[cell]..<versions.offsets[cell + 1]
            let wanted = expected.prefix(min(query.versions, options.maxVersions))
            guard range.count == wanted.count,
                zip(versions.cells[range], wanted).allSatisfy({ $1.value.isSame(as: $0.value(in: page.bytes)) })
            else { throw Disagreement("\(query): \(range.count) versions of \(column.name), expected \(wanted.count), or others") }
            let (times, wantedTimes) = (versions.times[range].map(\.microseconds), wanted.map(\.commitTime))
            try agree(
                options.maxVersions == 1 || times == wantedTimes,
                "\(query): commit times of \(column.name) \(times), expected \(wantedTimes)"
            )
        }
        // A field that the page does not show must not be there.
        if query.fields == nil {
            let shown = Set(page.columns.map(\.name))
            try agree(fields.keys.allSatisfy(shown.contains), "\(query): columns \(shown) for a row of \(fields.keys.sorted())")
        }
    }

    // MARK: - Partitions

    /// Nothing that was durably said of a partition is taken back, and it says nothing that cannot be.
    func checkRecords() throws {
        for (window, known) in memory.records {
            let end = core.end(of: PartitionID(window: window)).microseconds
            guard let partition = core.partitions[window] else {
                try agree(end <= droppedThrough || known == PartitionRecord(), "the partition \(window) is gone")
                continue
            }
            try agree(partition.record.sealedThrough >= known.sealedThrough, "the partition \(window) is no longer sealed")
            for (task, state) in known.tasks {
                let now = partition.record.tasks[task] ?? .init()
                try agree(now.deliveredThrough >= state.deliveredThrough, "\(task) no longer has the partition \(window)")
                try agree(
                    now.delivering != nil || state.delivering == nil || now.deliveredThrough > state.deliveredThrough,
                    "the partition \(window) is no longer delivering to \(task)")
            }
        }
        for (window, partition) in core.partitions {
            try agree(partition.record.sealedThrough <= partition.lastFlush, "the partition \(window) is sealed beyond its last flush")
            let delivered = partition.record.tasks.values.map(\.deliveredThrough).max() ?? 0
            try agree(delivered <= partition.record.sealedThrough, "the partition \(window) is delivered beyond its seal")
        }
    }

    /// What a pass dropped was due, and what was due it dropped; what is over it sealed.
    func checkDrops(_ before: [PartitionSummary]) throws {
        let (expiry, now) = (clock.now() - options.table.ttl, clock.now())
        let after = Dictionary(uniqueKeysWithValues: table.partitions().map { ($0.id, $0) })
        for partition in before where after[partition.id] == nil {
            try agree(partition.end <= expiry, "the partition of \(partition.start.rfc3339) was dropped before its time")
            let mayGo = options.deliveries.isEmpty || !options.isRetained || partition.state == .delivered || partition.rowCount == 0
            try agree(mayGo, "the partition of \(partition.start.rfc3339) was dropped in state \(partition.state)")
        }
        guard store!.clockProblem == nil else { return }
        for partition in after.values {
            if options.deliveries.isEmpty || !options.isRetained {
                try agree(partition.end > expiry, "the partition of \(partition.start.rfc3339) was not dropped")
            }
            let isOver = partition.end + options.table.sealAfter <= now
            try agree(!isOver || partition.state != .open || partition.rowCount == 0, "the partition of \(partition.start.rfc3339) is open")
        }
    }

    /// Each cell that was delivered was written; once everything is flushed, all of them were, in their newest version.
    func checkDelivered(_ rows: DeliveredRows, _ due: DeliverablePartition) throws {
        let range = due.start.microseconds..<due.end.microseconds
        let isComplete = core.lock.reading {
            core.partitions[due.id.window].map { !$0.hasUnflushedRows && $0.lastFlush == due.through } ?? false
        }
        var count = 0
        for name in model.devices.keys {
            for row in model.rows(name, expiry: .min, in: range) {
                let delivered = rows.devices[name]?[row.time] ?? [:]
                count += delivered.isEmpty ? 0 : 1
                for (field, versions) in row.fields {
                    let value = delivered[field]
                    let isRight =
                        isComplete
                        ? versions[0].value.isSame(as: value)
                        : value.map { value in versions.contains { $0.value.isSame(as: value) } } ?? true
                    try agree(isRight, "delivered \(field) of \(name) at \(row.time) as \(value?.brief ?? "-")")
                }
                try agree(delivered.keys.allSatisfy { row.fields[$0] != nil }, "delivered more fields of \(name) than it has")
            }
        }
        let deliveredCount = rows.devices.values.reduce(0) { $0 + $1.count }
        try agree(count == deliveredCount, "delivered \(deliveredCount) rows, of which \(count) were written")
    }
}

extension RangeQuery: CustomStringConvertible {
    public var description: String {
        "\(device) from \(start.microseconds) to \(end.microseconds) \(order.rawValue) limit \(limit) versions \(versions) "
            + "fields \(fields ?? ["all"]) after \(after.map { "\($0.microseconds)" } ?? "-")"
    }
}
