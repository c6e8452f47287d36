import Telemetry
import TelemetryCodec

extension Table {
    /// One page of a device's rows.
    ///
    /// Windows are read one after the other, newest first (oldest first when ascending), until the page is full; inside a window only
    /// blocks that can hold rows of the page are read.
    /// - Returns: nil: unknown device.
    /// - Throws: `.corruption` with file and offset; `.fatal`; `.notInMemory`.
    package func range(_ query: RangeQuery) throws(StoreError) -> RangePage? {
        guard let number = core.registry.device(query.device), core.lock.reading({ core.states.device(number) != nil }) else { return nil }
        let names = query.fields ?? device(query.device)?.fields.map(\.name) ?? []
        var builder = PageBuilder(names: names, registry: core.registry, query: query, maxVersions: options.maxVersions)
        guard let times = times(of: query) else { return builder.page }
        let key = core.registry.readingNames { registry in
            (bucket: Int(registry.buckets[Int(number)]), name: registry.devices.withName(number) { Array($0) })
        }
        for (count, window) in partitionWindows(of: times, query.order).enumerated() {
            if query.isFromMemory, count == MemoryBudget.windowLimit { throw .notInMemory }
            guard let (windowTimes, sources) = sources(in: window, times, device: number) else { continue }
            try key.name.withRawBytes { (name) throws(StoreError) in
                try builder.read(sources, windowTimes, bucket: key.bucket, device: name)
            }
            if builder.isFull { break }
        }
        return builder.page
    }

    /// The query's times as a closed range, without what is expired and what earlier pages held; nil when empty.
    private func times(of query: RangeQuery) -> ClosedRange<Int64>? {
        var low = max(query.start, core.expiry(now: core.clock.now())).microseconds
        guard query.end.microseconds > .min else { return nil }
        var high = query.end.microseconds - 1
        if let after = query.after?.microseconds {
            if query.order == .descending { high = min(high, after &- 1) } else { low = max(low, after &+ 1) }
        }
        return low <= high ? low...high : nil
    }

    /// The windows there are, in the query's order. One that comes later holds only rows that came after the read began.
    func partitionWindows(of times: ClosedRange<Int64>, _ order: RangeQuery.Order) -> [Int64] {
        let range = core.window(of: times.lowerBound)...core.window(of: times.upperBound)
        let windows = core.lock.reading { core.partitions.keys.filter { range.contains($0) } }
        return order == .descending ? windows.sorted(by: >) : windows.sorted()
    }

    /// What may hold rows of the device in a window; nil when nothing does.
    func sources(
        in window: Int64, _ times: ClosedRange<Int64>, device: UInt32
    ) -> (times: ClosedRange<Int64>, sources: PartitionSources)? {
        let id = PartitionID(window: window)
        let low = max(times.lowerBound, core.start(of: id).microseconds)
        let high = min(times.upperBound, core.end(of: id).microseconds - 1)
        return core.lock.reading {
            guard let sources = core.partitions[window]?.sources(device: device, times: low...high), !sources.isEmpty else { return nil }
            return (low...high, sources)
        }
    }
}
