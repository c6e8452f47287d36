import Telemetry
import TelemetryCodec

extension Table {
    /// One page of a device's rows.
    ///
    /// Windows are read one after the other, newest first (oldest first when ascending), until the page is full; inside a window only
    /// blocks that can hold rows of the page are read.
    /// - Returns: nil: unknown device.
    /// - Throws: `.corruption` with file and offset; `.fatal`.
    package func range(_ query: RangeQuery) throws(StoreError) -> RangePage? {
        guard let number = core.registry.device(query.device), let detail = device(query.device) else { return nil }
        let names = query.fields ?? detail.fields.map(\.name)
        var builder = PageBuilder(names: names, registry: core.registry, query: query, maxVersions: options.maxVersions)
        guard let times = times(of: query) else { return builder.page }
        let key = core.registry.withNames { registry in
            (bucket: Int(registry.buckets[Int(number)]), name: registry.devices.withName(number) { Array($0) })
        }
        var rest = times
        while true {
            let window = nextPartition(rest, query.order, device: number)
            guard let window else { return builder.page }
            try key.name.withRawBytes { (name) throws(StoreError) in
                try builder.read(window.sources, window.times, bucket: key.bucket, device: name)
            }
            if builder.isFull { return builder.page }
            guard let following = remainder(of: rest, behind: window.times, query.order) else { return builder.page }
            rest = following
        }
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

    /// The next window in order that may hold rows of the device.
    private func nextPartition(
        _ times: ClosedRange<Int64>, _ order: RangeQuery.Order, device: UInt32
    ) -> (times: ClosedRange<Int64>, sources: PartitionSources)? {
        let windows = core.window(of: times.lowerBound)...core.window(of: times.upperBound)
        return core.lock.reading {
            let ids = core.partitions.keys.filter { windows.contains($0) }.sorted()
            for window in order == .descending ? ids.reversed() : ids {
                let id = PartitionID(window: window)
                let low = max(times.lowerBound, core.start(of: id).microseconds)
                let high = min(times.upperBound, core.end(of: id).microseconds - 1)
                let sources = core.partitions[window]!.sources(device: device, times: low...high)
                if !sources.isEmpty { return (low...high, sources) }
            }
            return nil
        }
    }

    private func remainder(
        of times: ClosedRange<Int64>, behind done: ClosedRange<Int64>, _ order: RangeQuery.Order
    ) -> ClosedRange<Int64>? {
        if order == .descending { return times.lowerBound < done.lowerBound ? times.lowerBound...(done.lowerBound - 1) : nil }
        return times.upperBound > done.upperBound ? (done.upperBound + 1)...times.upperBound : nil
    }
}
