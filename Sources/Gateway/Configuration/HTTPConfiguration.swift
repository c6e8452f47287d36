import Dialects

/// Where the API listens, and how it reads lines and CSV.
package struct HTTPConfiguration: Sendable, Equatable {
    package var host: String
    /// 0: any free one.
    package var port: Int
    package var lines = DialectOptions(format: .lineProtocol)
    /// Clients of the live tail at once.
    package var liveClients: Int

    init(_ values: SectionValues) {
        guard let address = ListenAddress(values.text("listen")) else { preconditionFailure("listen was checked") }
        guard let tags = DialectOptions.TagPolicy(rawValue: values.text("tags")),
            let measurement = DialectOptions.MeasurementPolicy(rawValue: values.text("measurement"))
        else { preconditionFailure("tags and measurement were checked") }
        (host, port) = (address.host, address.port)
        liveClients = values.count("live_clients")
        (lines.deviceTag, lines.tags, lines.measurement) = (values.text("device_tag"), tags, measurement)
    }
}
