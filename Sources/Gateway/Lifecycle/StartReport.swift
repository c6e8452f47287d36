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

    private func logDurability(to logger: Logger) {
        switch configuration.store.durability {
        case .fsync: logger.info("durability fsync: what is acked is on disk")
        case .interval: logger.warning("durability interval: a power cut may lose what was acked in the last second")
        case .none: logger.warning("durability none: a power cut may lose what was acked in the last half minute or more")
        }
    }
}
