import Telemetry
import TelemetryCodec

extension Table {
    /// The newest value of each field of a device, from memory; expired ones left out.
    /// - Parameter fields: nil for all; names the device does not have are left out.
    /// - Returns: nil: unknown device.
    package func latest(device id: String, fields: [String]?) -> LatestReading? {
        var (number, names, wanted) = core.registry.readingNames { names in
            (names.devices.find(id), names.fieldStrings, fields?.compactMap { names.fields.find($0) })
        }
        guard let number else { return nil }
        let expiry = core.expiry(now: core.clock.now()).microseconds
        var result = LatestReading(device: id, time: nil, entries: [], bytes: [])
        result.entries.reserveCapacity(min(wanted?.count ?? names.count, LatestReading.usualFieldCount))
        let isKnown = core.lock.reading { () -> Bool in
            core.states.forEachLatest(number) { field, time, cell, bytes in
                guard time >= expiry, wanted?.contains(field) ?? true else { return }
                // A field that came after the names were taken.
                if Int(field) >= names.count { names = core.registry.fieldNames }
                result.append(names[Int(field)], cell, from: bytes, at: time)
            }
        }
        guard isKnown else { return nil }
        result.sort()
        return result
    }
}

extension LatestReading {
    /// Room for so many entries is made at once.
    fileprivate static let usualFieldCount = 16

    fileprivate mutating func append(_ field: String, _ cell: Cell, from source: UnsafeRawBufferPointer, at microseconds: Int64) {
        var cell = cell
        if let type = cell.type, type.isBytes {
            let offset = bytes.count
            bytes.append(contentsOf: source[cell.byteRange])
            cell = .bytes(type, offset: offset, count: cell.byteCount)
        }
        let time = Timestamp(microseconds: microseconds)
        entries.append(Entry(field: field, cell: cell, time: time))
        self.time = max(time, self.time ?? time)
    }

    /// Devices mostly name their fields in the same order, often the alphabet's.
    fileprivate mutating func sort() {
        for index in entries.indices.dropFirst() where entries[index].field < entries[index - 1].field {
            entries.sort { $0.field < $1.field }
            return
        }
    }
}
