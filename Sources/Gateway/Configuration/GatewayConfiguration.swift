import Delivery
import Ingest
import Telemetry
import TelemetryStore

/// Everything the gateway is told before it starts.
package struct GatewayConfiguration: Sendable {
    package var store: StoreOptions
    /// The first is the default.
    package var tables: [TableOptions]
    /// None: HTTP writes alone.
    package var brokers: [MQTTBroker]
    package var http: HTTPConfiguration
    package var deliveries: [DeliveryConfiguration]
    /// `[delivery.s3]` sections, by the names of their deliveries.
    let s3: [String: SectionValues]
    package var deadLetters: DeadLetterConfiguration
    /// A level's name in swift-log.
    package var logLevel: String
    package let effective: EffectiveConfiguration
    /// What works, but hardly as it is meant; in the order of the file.
    package let warnings: [ConfigurationProblem]

    /// - Parameters:
    ///   - file: TOML; nil: defaults, environment and flags alone.
    ///   - flags: `SECTION.KEY=VALUE`.
    /// - Throws: everything that is wrong, at once.
    package static func load(file: String?, environment: [String: String] = [:], flags: [String] = []) throws(ConfigurationError) -> Self {
        var text = ""
        if let file {
            do {
                text = try FileText.read(file)
            } catch {
                throw ConfigurationError([ConfigurationProblem(place: file, message: "cannot be read: \(error.reason)", line: 0)])
            }
        }
        return try parse(text, file: file ?? "configuration", environment: environment, flags: flags)
    }

    /// As `load`, from a text in hand. `file` names it in messages.
    package static func parse(
        _ toml: String, file: String, environment: [String: String] = [:], flags: [String] = []
    ) throws(ConfigurationError) -> Self {
        var reader = ConfigurationReader(file: file)
        reader.read(toml: toml)
        reader.read(environment: environment)
        reader.read(flags: flags)
        reader.addDefaults()
        reader.checkRules()
        guard reader.problems.isEmpty else { throw ConfigurationError(reader.problems) }
        reader.findWarnings()
        return Self(reader)
    }

    /// The warnings, and what the limits of this process make doubtful.
    package var allWarnings: [String] {
        warnings.map(\.description) + [OpenFiles.warning(of: tables, limit: OpenFiles.highestLimit)].compactMap { $0 }
    }

    /// Path of the token file, from a configuration whose files may not all be there yet; nil: none is configured.
    package static func tokenFile(file: String, environment: [String: String], flags: [String]) throws(ConfigurationError) -> String? {
        var reader = ConfigurationReader(file: file)
        do throws(FileText.Unreadable) { reader.read(toml: try FileText.read(file)) } catch {
            throw ConfigurationError([ConfigurationProblem(place: file, message: "cannot be read: \(error.reason)", line: 0)])
        }
        reader.read(environment: environment)
        reader.read(flags: flags)
        reader.addDefaults()
        guard reader.problems.isEmpty else { throw ConfigurationError(reader.problems) }
        return reader.sections.first { $0.section.name == "http" }?.given("token_file")
    }

    private init(_ reader: ConfigurationReader) {
        let sections = reader.sections
        func all(_ name: String) -> [SectionValues] { sections.filter { $0.section.name == name } }
        let tables = all("table").map(TableOptions.init)
        self.tables = tables
        store = StoreOptions(all("store")[0])
        brokers = all("mqtt").map { broker in
            let subscriptions = all("subscription").filter { $0.path.starts(with: broker.path) }
            return MQTTBroker(
                options: MQTTOptions(broker, password: reader.passwords[broker.path]),
                subscriptions: subscriptions.map { SubscriptionOptions($0, defaultTable: tables[0].name) })
        }
        http = HTTPConfiguration(all("http")[0], files: reader.httpFiles)
        store.feedByteCount = all("http")[0].count("live_buffer")
        deliveries = all("delivery").map { values in
            do throws(DeliveryOptionError) {
                return try DeliveryConfiguration(values, s3: reader.s3(of: values), defaultTable: tables[0].name)
            } catch {
                preconditionFailure("deliveries were checked: \(error)")
            }
        }
        s3 = Dictionary(
            all("delivery").compactMap { values in reader.s3(of: values).map { (values.text("name"), $0) } }, uniquingKeysWith: { $1 })
        deadLetters = DeadLetterConfiguration(all("dead_letters")[0])
        logLevel = all("log")[0].text("level")
        effective = EffectiveConfiguration(sections)
        warnings = ConfigurationError(reader.warnings).problems
        for index in tables.indices {
            self.tables[index].requiredDeliveries = deliveries.map(\.options).filter { $0.table == tables[index].name }.map(\.name)
        }
    }
}

extension StoreOptions {
    init(_ values: SectionValues) {
        self.init(path: values.text("path"))
        guard let durability = Durability(rawValue: values.text("durability")) else { preconditionFailure("durability was checked") }
        self.durability = durability
        commitInterval = values.duration("commit_interval")
        headByteBudget = values.count("head_memory")
        headAge = values.duration("head_age")
        blockCacheByteCount = values.count("block_cache")
        logFileByteCount = values.count("log_file_size")
        diskReserveByteCount = values.count("disk_reserve")
        compressionLevel = Int32(values.count("compression_level"))
    }
}

extension TableOptions {
    init(_ values: SectionValues) {
        self.init(name: values.text("name"))
        buckets = values.count("buckets")
        ttl = values.duration("ttl")
        maxVersions = values.count("max_versions")
        partitionLength = values.duration("partition")
        sealAfter = values.duration("seal_after")
        maxFuture = values.duration("max_future")
        staleAfter = values.duration("stale_after")
        retainUntilDelivered = values.boolean("retain_until_delivered")
        limits = TableLimits(values)
    }
}

extension TableLimits {
    init(_ values: SectionValues) {
        self.init()
        maxDevices = values.count("max_devices")
        readingsPerSecond = values.count("max_readings_per_second")
        deviceReadingsPerSecond = values.count("device_readings_per_second")
        burst = values.duration("rate_burst")
    }
}
