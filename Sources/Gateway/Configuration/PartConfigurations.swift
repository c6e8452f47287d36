import Delivery
import Ingest
import ObjectStorage
import Telemetry

/// The broker, and what to subscribe to there.
package struct MQTTConfiguration: Sendable {
    package var options = MQTTOptions()
    package var subscriptions: [SubscriptionOptions]

    init(_ values: SectionValues, password: String?, subscriptions: [SubscriptionOptions]) {
        self.subscriptions = subscriptions
        options.host = values.text("host")
        options.port = values.count("port")
        options.clientID = values.text("client_id")
        options.connections = values.count("connections")
        options.keepAlive = values.duration("keep_alive")
        options.sessionExpiry = values.duration("session_expiry")
        options.username = values.given("username")
        options.password = password
        options.tls = values.given("tls_ca_file").map {
            MQTTOptions.TLS(caFile: $0, certificateFile: values.given("tls_cert_file"), keyFile: values.given("tls_key_file"))
        }
    }
}

extension SubscriptionOptions {
    init(_ values: SectionValues, defaultTable: String) {
        self.init(filter: values.text("filter"), topic: values.text("topic"), table: values.given("table") ?? defaultTable)
        qos = values.count("qos")
        guard let format = PayloadFormat(rawValue: values.text("format")), let retained = RetainedPolicy(rawValue: values.text("retained"))
        else { preconditionFailure("format and retained were checked") }
        self.format = format
        self.retained = retained
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

package struct HTTPConfiguration: Sendable, Equatable {
    package var host: String
    /// 0: any free one.
    package var port: Int

    init(_ values: SectionValues) {
        guard let address = ListenAddress(values.text("listen")) else { preconditionFailure("listen was checked") }
        (host, port) = (address.host, address.port)
    }
}

package struct DeadLetterConfiguration: Sendable, Equatable {
    package var path: String
    package var maxByteCount: Int

    init(_ values: SectionValues) {
        path = values.text("path")
        maxByteCount = values.count("max_bytes")
    }
}
