import Telemetry
import TelemetryCodec

/// One table, to read from. All reads see what was committed before they began, and nothing that is expired.
package final class Table: Sendable {
    let core: TableCore
    let maintenance: Maintenance

    init(_ core: TableCore, maintenance: Maintenance) {
        self.core = core
        self.maintenance = maintenance
    }

    package var number: TableNumber { core.number }
    package var name: String { core.options.name }
    package var options: TableOptions { core.options }

    package func hasField(_ name: String) -> Bool { core.registry.field(name) != nil }

    /// Every field that a device of the table ever had, the oldest first.
    package var fieldNames: [String] { core.registry.fieldNames }

    package func summary() -> TableSummary {
        let names = core.registry.fieldNames
        return core.lock.reading {
            let partitions = core.partitions.values.filter { $0.rowCount > 0 }
            let fields = names.enumerated().compactMap { number, name in
                core.states.types[number].map { FieldSummary(name: name, type: $0, time: nil) }
            }
            let newest = core.states.newestTime
            return TableSummary(
                options: options, deviceCount: core.states.storedCount, readingCount: core.committedCount,
                rowCount: partitions.reduce(0) { $0 + $1.rowCount },
                byteCount: partitions.reduce(0) { $0 + $1.segmentByteCount + $1.headByteCount },
                oldest: partitions.map(\.id).min().map(core.start(of:)),
                newest: newest == .min ? nil : Timestamp(microseconds: newest), fields: fields.sorted { $0.name < $1.name })
        }
    }

    /// Newest first; dropped partitions are not listed.
    package func partitions() -> [PartitionSummary] {
        core.lock.reading {
            core.partitions.values.sorted { $0.id > $1.id }.map { partition in
                PartitionSummary(
                    table: name, id: partition.id, start: core.start(of: partition.id), end: core.end(of: partition.id),
                    state: partition.state(scopes: core.deliveries), rowCount: partition.rowCount,
                    byteCount: partition.segmentByteCount + partition.headByteCount, segmentCount: partition.segments.count)
            }
        }
    }
}
