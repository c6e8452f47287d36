import Telemetry

/// A device sent a field with another type than before: both are kept, in the versions that have them.
package struct TypeChange: Sendable, Equatable {
    package var table: String
    package var device: String
    package var field: String
    package var before: FieldType
    package var after: FieldType
    /// Of the first reading that has the new type.
    package var time: Timestamp
}

/// Counts changes of type in one table; tells of each device and field once. Guarded like `DeviceStates`.
struct TypeChanges {
    struct Change {
        var device: UInt32
        var field: UInt32
        var before: FieldType
        var after: FieldType
        var time: Int64
    }

    /// Pairs of device and field that are told of; later ones are only counted.
    static let toldLimit = 1_024
    /// Told of, but not yet taken.
    private static let pendingLimit = 256

    private(set) var count = 0
    private var told: Set<UInt64> = []
    private var pending: [Change] = []

    mutating func add(_ change: Change) {
        count += 1
        guard told.count < Self.toldLimit, pending.count < Self.pendingLimit else { return }
        if told.insert(UInt64(change.device) << 32 | UInt64(change.field)).inserted { pending.append(change) }
    }

    mutating func takePending() -> [Change] {
        defer { pending = [] }
        return pending
    }
}

extension TelemetryStore {
    /// What is to be told of changed types since this was called last: each device and field once, and at most
    /// `TypeChanges.toldLimit` of a table. `StoreStatistics.typeChanges` counts all.
    package func takeTypeChanges() -> [TypeChange] {
        cores.flatMap { core in
            let changes = core.lock.writing { core.states.changes.pointee.takePending() }
            return changes.map { change in
                TypeChange(
                    table: core.options.name, device: core.registry.deviceName(change.device),
                    field: core.registry.fieldName(change.field), before: change.before, after: change.after,
                    time: Timestamp(microseconds: change.time))
            }
        }
    }
}
