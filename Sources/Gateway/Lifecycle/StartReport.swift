import Delivery
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
        logPartitions(to: logger)
        if let mqtt = configuration.mqtt {
            for subscription in mqtt.subscriptions {
                logger.info("mqtt \(mqtt.options.host):\(mqtt.options.port): \(subscription.filter) to table \(subscription.table)")
                if subscription.qos == 0 {
                    logger.warning("\(subscription.filter): at qos 0 nothing is acked, and what is lost stays lost")
                }
            }
        } else {
            logger.info("no [mqtt] section: readings come over HTTP alone")
        }
        for delivery in configuration.deliveries {
            logger.info("delivery \(delivery.options.name): \(delivery.options.table) to \(delivery.destination.description)")
        }
    }

    private func logPartitions(to logger: Logger) {
        let count = configuration.tables.map(OpenFiles.partitionCount).reduce(0, +)
        guard count > openFileLimit / 2 else { return }
        logger.warning(
            """
            within their ttl the tables may have \(count) partitions, each with an open file, but only \(openFileLimit) files may be open: \
            a longer partition, a shorter ttl or a higher LimitNOFILE
            """)
    }

    private func logDurability(to logger: Logger) {
        switch configuration.store.durability {
        case .fsync: logger.info("durability fsync: what is acked is on disk")
        case .interval: logger.warning("durability interval: a power cut may lose what was acked in the last second")
        case .none: logger.warning("durability none: a power cut may lose what was acked in the last half minute or more")
        }
    }
}
