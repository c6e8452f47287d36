import Telemetry
import TelemetryCodec

extension Table {
    /// Devices by id.
    /// - Parameters:
    ///   - after: exclusive; the last id of the page before.
    ///   - isOnline: nil for all.
    package func devices(prefix: String, isOnline: Bool?, after: String?, limit: Int) -> [DeviceSummary] {
        var result: [DeviceSummary] = []
        var last = after
        // In slices, so that no lock is held for a whole scan of a big fleet; by name, because devices may come meanwhile.
        while result.count < limit {
            let slice = numbers(prefix: prefix, after: last, count: 4_096)
            guard let end = slice.last else { break }
            last = end.id
            for entry in slice where result.count < limit {
                guard let summary = summary(entry.number, id: entry.id), isOnline == nil || summary.isOnline == isOnline else { continue }
                result.append(summary)
            }
        }
        return result
    }

    /// Devices heard last first.
    package func devicesByLastSeen(prefix: String, isOnline: Bool?, limit: Int, offset: Int) -> [DeviceSummary] {
        let all = devices(prefix: prefix, isOnline: isOnline, after: nil, limit: .max)
        let sorted = all.sorted { $0.lastSeen != $1.lastSeen ? $0.lastSeen > $1.lastSeen : $0.id < $1.id }
        return Array(sorted.dropFirst(offset).prefix(limit))
    }

    /// The device and its fields that have a value that is not expired. Nil: unknown, or never stored anything.
    package func device(_ id: String) -> DeviceDetail? {
        guard let number = core.registry.device(id), let summary = summary(number, id: id) else { return nil }
        let expiry = core.expiry(now: core.clock.now()).microseconds
        var fields: [FieldSummary] = []
        core.lock.reading {
            // Under the lock: a commit may bring a field.
            let names = core.registry.fieldNames
            core.states.forEachLatest(number) { field, time, cell, _ in
                guard time >= expiry else { return }
                fields.append(FieldSummary(name: names[Int(field)], type: cell.type!, time: Timestamp(microseconds: time)))
            }
        }
        return DeviceDetail(summary: summary, fields: fields.sorted { $0.name < $1.name })
    }

    private func numbers(prefix: String, after: String?, count: Int) -> [(number: UInt32, id: String)] {
        let prefixBytes = Array(prefix.utf8)
        let afterBytes = after.map { Array($0.utf8) }
        return core.registry.withNames { names in
            names.updateSorted()
            let first = names.firstSorted(from: prefixBytes, after: afterBytes)
            var slice: [(number: UInt32, id: String)] = []
            for number in names.sorted[first...].prefix(count) {
                guard names.devices.withName(number, { $0.starts(with: prefixBytes) }) else { break }
                slice.append((number, names.devices.string(number)))
            }
            return slice
        }
    }

    private func summary(_ number: UInt32, id: String) -> DeviceSummary? {
        core.lock.reading {
            guard let device = core.states.device(number) else { return nil }
            let lastSeen = Timestamp(microseconds: device.lastSeen)
            return DeviceSummary(
                id: id, firstSeen: Timestamp(microseconds: device.firstSeen), lastSeen: lastSeen,
                isOnline: lastSeen + options.staleAfter >= core.clock.now(), readingCount: device.readingCount)
        }
    }
}

extension NameRegistry.Names {
    /// Position in `sorted` of the first name with the prefix that lies behind `after`.
    func firstSorted(from prefix: [UInt8], after: [UInt8]?) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            let isBefore = devices.withName(sorted[middle]) { name in
                prefix.withRawBytes { compareBytes(name, $0) < 0 } || (after?.withRawBytes { compareBytes(name, $0) <= 0 } ?? false)
            }
            if isBefore { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
