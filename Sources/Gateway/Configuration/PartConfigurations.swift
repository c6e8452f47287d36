import Delivery
import Dialects
import Ingest
import ObjectStorage
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

/// One task that writes a table's aged partitions as Parquet objects, and where to.
package struct DeliveryConfiguration: Sendable {
    package var options: DeliveryOptions
    package var destination: LocalDirectoryDestination

    /// - Throws: the first of `problems`.
    init(_ values: SectionValues, defaultTable: String) throws(DeliveryOptionError) {
        options = try Self.options(values, defaultTable, prefix: values.text("prefix"))
        destination = try Self.destination(values)
    }

    /// Everything that is wrong with the section, each with its option.
    static func problems(of values: SectionValues, defaultTable: String) -> [DeliveryOptionError] {
        var problems: [DeliveryOptionError] = []
        func check(_ step: () throws(DeliveryOptionError) -> Void) {
            do throws(DeliveryOptionError) { try step() } catch { problems.append(error) }
        }
        check { () throws(DeliveryOptionError) in _ = try options(values, defaultTable, prefix: "") }
        check { () throws(DeliveryOptionError) in _ = try PrefixTemplate(values.text("prefix"), table: defaultTable, task: "task") }
        check { () throws(DeliveryOptionError) in _ = try destination(values) }
        return problems
    }

    private static func options(
        _ values: SectionValues, _ defaultTable: String, prefix: String
    ) throws(DeliveryOptionError) -> DeliveryOptions {
        try DeliveryOptions(
            name: values.text("name"), table: values.given("table") ?? defaultTable, age: values.duration("age"), prefix: prefix,
            maxObjectByteCount: values.count("max_object_bytes"), version: Version.number, build: Version.build)
    }

    private static func destination(_ values: SectionValues) throws(DeliveryOptionError) -> LocalDirectoryDestination {
        do throws(ObjectError) {
            return try LocalDirectoryDestination(url: values.text("destination"))
        } catch {
            throw DeliveryOptionError("destination", error.detail)
        }
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
