import Telemetry

/// What one table takes at most. May be changed while readings come in: `TelemetryStore.setLimits`.
package struct TableLimits: Sendable, Equatable {
    /// Devices that the table may know; 0: as many as `Limits.devicesPerTable`. Devices known already are never refused.
    package var maxDevices = 0
    /// Readings of all devices, whichever way they come; 0: any number.
    package var readingsPerSecond = 0
    /// Readings of each device; 0: any number.
    package var deviceReadingsPerSecond = 0
    /// How much of a rate that was not used may come at once.
    package var burst: TimeSpan = .seconds(10)

    package init() {}

    /// The limit that a reading exceeds, and its option, for whoever sent it.
    package func text(of refusal: ReadingBatch.Refusal) -> String {
        switch refusal {
        case .deviceRate: "the device sends more than device_readings_per_second = \(deviceReadingsPerSecond)"
        case .tableRate: "the table gets more than max_readings_per_second = \(readingsPerSecond)"
        case .before: "a rate refused it before, and the broker has delivered it again"
        }
    }

    package var deviceLimitText: String { maxDevices > 0 ? "max_devices = \(maxDevices)" : "\(Limits.devicesPerTable)" }

    /// True when readings have to be counted.
    var hasRates: Bool { readingsPerSecond > 0 || deviceReadingsPerSecond > 0 }
    var deviceLimit: Int { maxDevices > 0 ? min(maxDevices, Limits.devicesPerTable) : Limits.devicesPerTable }
}
