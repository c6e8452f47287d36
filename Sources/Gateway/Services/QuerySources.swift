import Delivery
import Ingest
import QueryAPI
import Telemetry
import TelemetryStore

/// What the API shows of the parts it does not know.
extension QuerySources {
    init(
        health: Health, ingest: MQTTIngest?, deliveries: Deliveries, documents: DeliveryDocument, reload: ReloadService,
        deadLetterPath: String
    ) {
        self.init()
        readiness = { health.unreadiness }
        configuration = { Array(reload.effective.json.utf8) }
        self.ingest = { ingest.map(\.statistics).flatMap { $0.connections > 0 ? IngestSnapshot($0) : nil } }
        deadLetters = { reason, limit in
            var selection = DeadLetterSelection()
            selection.reason = reason
            return try NewestLetters.find(in: deadLetterPath, selection: selection, limit: limit).map(DeadLetterSample.init)
        }
        delivery = { table, partition in PartitionDelivery(deliveries.tasks.map(\.task).filter { $0.options.table == table }, partition) }
        let control = DeliveryControl(deliveries, documents)
        self.deliveries = control
        metrics = { text in
            text.deliveries(control.list())
            if let statistics = ingest?.statistics {
                text.ingestDetails(statistics)
                text.clockSkew(statistics.clockSkew)
            }
            text.single(
                "gaugehouse_config_last_reload_successful", .gauge, "0 when the last SIGHUP found errors.", reload.hasFailed ? 0 : 1)
        }
    }
}

extension IngestSnapshot {
    init(_ statistics: IngestStatistics) {
        self.init()
        messages = statistics.messages
        bytes = statistics.payloadBytes
        readings = statistics.readings
        rejected = statistics.rejects
        reconnects = statistics.reconnects
        isConnected = statistics.isConnected
        lastError = statistics.lastError
        brokers = statistics.brokers.map { ($0.name, IngestSnapshot($0.statistics)) }
    }
}

extension DeadLetterSample {
    init(_ letter: DeadLetterLine) {
        self.init(
            time: letter.time, broker: letter.broker, topic: letter.topic, reason: letter.reason, detail: letter.detail,
            payload: letter.payload, payloadByteCount: letter.payloadByteCount)
    }
}

extension PrometheusText {
    fileprivate mutating func ingestDetails(_ statistics: IngestStatistics) {
        func each(_ name: String, _ help: String, _ value: (IngestStatistics) -> Int) {
            family("gaugehouse_mqtt_\(name)_total", .counter, help)
            for broker in statistics.brokers { sample(value(broker.statistics), labels: ["broker": broker.name]) }
        }
        each("batches", "Batches committed and acked.") { $0.batches }
        each("retained_dropped", "Retained messages not taken as new readings.") { $0.retainedDropped }
        each("empty_ignored", "Messages without a payload.") { $0.emptyIgnored }
        each("overlaps_ignored", "Further copies of messages that several filters fit.") { $0.overlapsIgnored }
        each("ignored", "Messages that their format does not store.") { $0.ignored }
        each("sequence_gaps", "Messages missing in numbered sequences.") { $0.sequenceGaps }
        each("unknown_aliases", "Metrics whose alias nobody had explained.") { $0.unknownAliases }
        each("ignored_metrics", "Metrics of births that cannot be stored.") { $0.ignoredMetrics }
        family("gaugehouse_broker_messages_dropped", .gauge, "What the broker says it has dropped since it started.")
        for (broker, count) in statistics.brokerDropped.sorted(by: { $0.key < $1.key }) {
            sample(Double(count), labels: ["broker": broker])
        }
        single("gaugehouse_dead_letters_lost_total", .counter, "Dead letters that could not be written.", statistics.deadLettersLost)
    }
}

extension PrometheusText {
    fileprivate mutating func clockSkew(_ skew: ClockSkew) {
        family(
            "gaugehouse_device_clock_skew_seconds", .histogram,
            "Time of receipt minus the time that a reading carries; negative: the device is ahead.")
        var count = 0
        for (index, bound) in ClockSkew.bounds.enumerated() {
            count += skew.counts[index]
            sample(count, labels: ["le": Int64(exactly: bound).map(String.init) ?? bound.description], suffix: "_bucket")
        }
        count += skew.counts[ClockSkew.bounds.count]
        sample(count, labels: ["le": "+Inf"], suffix: "_bucket")
        sample(skew.sumSeconds, suffix: "_sum")
        sample(count, suffix: "_count")
    }
}
