import Telemetry

@testable import TelemetryStore

/// What a delivery task has of a window: device → time → field → value. Later flushes overwrite earlier ones cell by cell.
struct DeliveredRows {
    private(set) var devices: [String: [Int64: [String: FieldValue]]] = [:]

    init() {}

    init(_ scan: PartitionScan) throws {
        while let chunk = try scan.next() {
            for (row, time) in chunk.times.enumerated() {
                for (column, field) in scan.fields.enumerated() {
                    guard let value = chunk.cells[row * scan.fields.count + column].value(in: chunk.bytes) else { continue }
                    devices[chunk.device, default: [:]][time.microseconds, default: [:]][field.name] = value
                }
            }
        }
    }

    mutating func merge(_ newer: DeliveredRows) {
        for (device, rows) in newer.devices {
            for (time, fields) in rows {
                devices[device, default: [:]][time, default: [:]].merge(fields) { $1 }
            }
        }
    }
}
