import Delivery
import Dialects
import Ingest
import Logging
import ObjectStorage
import Telemetry
import TelemetryStore

/// What is said once at the start: what runs, and what an ack of it is worth.
struct StartReport {
    let configuration: GatewayConfiguration
    /// Files that this process may have open.
    let openFileLimit: Int

    func log(to logger: Logger) {
        logger.notice("gaugehouse \(Version.number)")
        logDurability(to: logger)
        for table in configuration.tables {
            logger.info(
                "table \(table.name): ttl \(table.ttl.text), partitions of \(table.partitionLength.text), \(table.buckets) buckets")
        }
        if let warning = OpenFiles.warning(of: configuration.tables, limit: openFileLimit) { logger.warning("\(warning)") }
        Self.log(configuration.http, to: logger)
        Self.log(configuration.brokers, to: logger)
        for warning in configuration.warnings { logger.warning("\(warning)") }
        for delivery in configuration.deliveries {
            logger.info("delivery \(delivery.options.name): \(delivery.options.table) to \(delivery.destination.description)")
        }
    }

    /// What is subscribed to where; also after a reload.
    static func log(_ brokers: [MQTTBroker], to logger: Logger) {
        if brokers.isEmpty { logger.info("no [mqtt] section: readings come over HTTP alone") }
        for broker in brokers {
            for subscription in broker.subscriptions {
                logger.info(
                    """
                    mqtt \(broker.options.host):\(broker.options.port): \(subscription.filter) as \(subscription.dialect.format.rawValue) \
                    to table \(subscription.table)
                    """)
                if subscription.qos == 0 {
                    logger.warning("\(subscription.filter): at qos 0 nothing is acked, and what is lost stays lost")
                }
            }
        }
    }

    /// Who is let in; also after a reload.
    static func log(_ http: HTTPConfiguration, to logger: Logger) {
        switch http.tokens?.count {
        case nil where http.isLoopback: logger.info("http: no tokens: everyone on this machine may read and write")
        case nil: logger.warning("http: no tokens: everyone who reaches \(http.host) may read and write")
        case 0: logger.warning("http: the token file holds no token: nobody is let in; gaugehouse token create makes one")
        case .some(let count): logger.info("http: \(count) token\(count == 1 ? "" : "s")")
        }
        if http.tls == nil, http.tokens != nil, !http.isLoopback {
            logger.warning("http: tokens travel readably without TLS: set http.tls_cert_file, or put a proxy with TLS in front")
        }
        if let key = http.tlsKeyFile, let owner = FileOwner(key), owner.mode & 0o004 != 0 {
            logger.warning("http.tls_key_file: everyone on this machine can read \(key): chmod o-r \(key)")
        }
    }

    private func logDurability(to logger: Logger) {
        switch configuration.store.durability {
        case .fsync: logger.info("durability fsync: what is acked is on disk")
        case .interval: logger.warning("durability interval: a power cut may lose what was acked in the last second")
        case .none: logger.warning("durability none: a power cut may lose what was acked in the last half minute or more")
        }
    }
}
