import Telemetry
import TelemetryCodec

extension Table {
    /// The newest value of each field of a device, from memory; expired ones left out.
    /// - Parameter fields: nil for all; names the device does not have are left out.
    /// - Returns: nil: unknown device.
    package func latest(device id: String, fields: [String]?) -> LatestReading? {
        guard let number = core.registry.device(id) else { return nil }
        let wanted = fields.map { names in names.compactMap { core.registry.field($0) } }
        let expiry = core.expiry(now: core.clock.now()).microseconds
        let names = core.registry.fieldNames
        var result = LatestReading(device: id, time: nil, entries: [], bytes: [])
        let isKnown = core.lock.reading { () -> Bool in
            guard core.states.device(number) != nil else { return false }
            core.states.forEachLatest(number) { field, time, cell, bytes in
                guard time >= expiry, wanted?.contains(field) ?? true else { return }
                let cell = result.copy(cell, from: bytes)
                result.entries.append(.init(field: names[Int(field)], cell: cell, time: Timestamp(microseconds: time)))
            }
            return true
        }
        guard isKnown else { return nil }
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
