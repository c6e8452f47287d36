import Telemetry
import TelemetryCodec

extension Table {
    /// The newest value of each field of a device, from memory; expired ones left out.
    /// - Parameter fields: nil for all; names the device does not have are left out.
    /// - Returns: nil: unknown device.
    package func latest(device id: String, fields: [String]?) -> LatestReading? {
        guard let number = core.registry.device(id) else { return nil }
        let wanted = fields.map { names in Set(names.compactMap { core.registry.field($0) }) }
        let expiry = core.expiry(now: core.clock.now()).microseconds
        var result = LatestReading(device: id, time: nil, entries: [], bytes: [])
        var numbers: [UInt32] = []
        let isKnown = core.lock.reading { () -> Bool in
            guard Int(number) < core.states.devices.count, core.states.devices[Int(number)].firstSeen != .max else { return false }
            core.states.values.withBytes { values in
                for slot in core.states.latest(number) where slot.time >= expiry && wanted?.contains(slot.field) ?? true {
                    let cell = result.copy(slot.cell, from: values)
                    result.entries.append(.init(field: "", cell: cell, time: Timestamp(microseconds: slot.time)))
                    numbers.append(slot.field)
                }
            }
            return true
        }
        guard isKnown else { return nil }
        core.registry.withNames { names in
            for (index, number) in numbers.enumerated() { result.entries[index].field = names.fields.string(number) }
        }
        result.entries.sort { $0.field < $1.field }
        result.time = result.entries.map(\.time).max()
        return result
    }
}

extension LatestReading {
    fileprivate mutating func copy(_ cell: Cell, from source: UnsafeRawBufferPointer) -> Cell {
        guard let type = cell.type, type.isBytes else { return cell }
        let offset = bytes.count
        bytes.append(contentsOf: source[cell.byteRange])
        return .bytes(type, offset: offset, count: cell.byteCount)
    }
}
