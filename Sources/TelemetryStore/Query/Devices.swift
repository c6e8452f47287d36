import Telemetry
import TelemetryCodec

extension Table {
    /// Devices by id.
    /// - Parameters:
    ///   - after: exclusive; the last id of the page before.
    ///   - state: nil for all.
    package func devices(prefix: String, state: DeviceState?, after: String?, limit: Int) -> [DeviceSummary] {
        var result: [DeviceSummary] = []
        let stateField = self.stateField
        var last = after
        // In slices, so that no lock is held for a whole scan of a big fleet; by name, because devices may come meanwhile.
        while result.count < limit {
            let slice = numbers(prefix: prefix, after: last, count: 4_096)
            guard let end = slice.last else { break }
            last = end.id
            for entry in slice where result.count < limit {
                guard let summary = summary(entry.number, id: entry.id, stateField: stateField), state == nil || summary.state == state
                else { continue }
                result.append(summary)
            }
        }
        return result
    }

    /// Devices heard last first.
    package func devicesByLastSeen(prefix: String, state: DeviceState?, limit: Int, offset: Int) -> [DeviceSummary] {
        let all = devices(prefix: prefix, state: state, after: nil, limit: .max)
        let sorted = all.sorted { $0.lastSeen != $1.lastSeen ? $0.lastSeen > $1.lastSeen : $0.id < $1.id }
        return Array(sorted.dropFirst(offset).prefix(limit))
    }

    /// The device and its fields that have a value that is not expired. Nil: unknown, or never stored anything.
    package func device(_ id: String) -> DeviceDetail? {
        guard let number = core.registry.device(id), let summary = summary(number, id: id, stateField: stateField) else { return nil }
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
        core.registry.updateSorted()
        return core.registry.readingNames { names in
            let first = names.firstSorted(from: prefixBytes, after: afterBytes)
            var slice: [(number: UInt32, id: String)] = []
            for number in names.sorted[first...].prefix(count) {
                guard names.devices.withName(number, { $0.starts(with: prefixBytes) }) else { break }
                slice.append((number, names.devices.string(number)))
            }
            return slice
        }
    }

    /// What a device is still sending when its last will comes, and what a commit may take.
    private static let offlineGrace = TimeSpan.seconds(5)

    /// Nil: no device of the table ever told its state.
    private var stateField: UInt32? { core.registry.field(ReservedField.state.description) }

    private func summary(_ number: UInt32, id: String, stateField: UInt32?) -> DeviceSummary? {
        core.lock.reading {
            guard let device = core.states.device(number) else { return nil }
            let lastSeen = Timestamp(microseconds: device.lastSeen)
            var state: DeviceState = lastSeen + options.staleAfter >= core.clock.now() ? .online : .stale
            if let offline = stateField.flatMap({ offlineSince(number, field: $0) }), lastSeen <= offline + Self.offlineGrace {
                state = .offline
            }
            return DeviceSummary(
                id: id, firstSeen: Timestamp(microseconds: device.firstSeen), lastSeen: lastSeen, state: state,
                readingCount: device.readingCount)
        }
    }

    /// When the device was said to be offline, if that is the newest that was said. Caller holds the lock.
    private func offlineSince(_ number: UInt32, field stateField: UInt32) -> Timestamp? {
        var since: Timestamp?
        core.states.forEachLatest(number) { field, time, cell, bytes in
            guard field == stateField, cell.type == .string else { return }
            let offline = ReservedField.offline
            let isOffline = bytes[cell.byteRange].elementsEqual(
                UnsafeBufferPointer(start: offline.utf8Start, count: offline.utf8CodeUnitCount))
            since = isOffline ? Timestamp(microseconds: time) : nil
        }
        return since
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
