import Dialects
import Ingest
import Telemetry

extension MQTTOptions {
    /// `tls_ca_file` that stands for the certificates of the system.
    static let systemCertificates = "system"

    init(_ values: SectionValues, password: String?) {
        self.init()
        host = values.text("host")
        port = values.count("port")
        clientID = values.text("client_id")
        connections = values.count("connections")
        keepAlive = values.duration("keep_alive")
        sessionExpiry = values.duration("session_expiry")
        username = values.given("username")
        self.password = password
        watchesBroker = values.boolean("watch_broker")
        tls = values.given("tls_ca_file").map {
            TLS(
                caFile: $0 == Self.systemCertificates ? nil : $0, certificateFile: values.given("tls_cert_file"),
                keyFile: values.given("tls_key_file"))
        }
    }
}

extension SubscriptionOptions {
    init(_ values: SectionValues, defaultTable: String) {
        self.init(filter: values.text("filter"), topic: values.text("topic"), table: values.given("table") ?? defaultTable)
        qos = values.count("qos")
        guard let retained = RetainedPolicy(rawValue: values.text("retained")) else { preconditionFailure("retained was checked") }
        self.retained = retained
        dialect = DialectOptions(values)
    }
}

extension DialectOptions {
    init(_ values: SectionValues) {
        guard let format = PayloadFormat(rawValue: values.text("format")), let unit = TimeUnit(rawValue: values.text("time_unit")),
            let tags = TagPolicy(rawValue: values.text("tags")), let measurement = MeasurementPolicy(rawValue: values.text("measurement"))
        else { preconditionFailure("choices were checked") }
        self.init(format: format)
        timeKey = values.given("time_key")
        timeUnit = unit
        zoneOffset = values.given("time_zone").flatMap(secondsEast)
        include = values.list("include")
        exclude = values.list("exclude")
        deviceTag = values.text("device_tag")
        self.tags = tags
        self.measurement = measurement
        columns = values.list("columns")
    }
}

package struct DeadLetterConfiguration: Sendable, Equatable {
    package var path: String
    package var maxByteCount: Int
    package var fileCount: Int

    init(_ values: SectionValues) {
        path = values.text("path")
        fileCount = values.count("files")
        maxByteCount = values.count("max_bytes")
    }
}
