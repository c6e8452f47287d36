import Hummingbird
import Telemetry
import TelemetryStore

/// `/metrics`.
extension API {
    func metrics(_ request: APIRequest) async throws -> Response {
        let tables = try await readers.perform { [store] in
            store.tables.map { (summary: $0.summary(), partitions: $0.partitions()) }
        }
        var text = PrometheusText()
        text.family("gaugehouse_build_info", .gauge, "Version of the program; always 1.")
        text.sample(1, labels: ["version": options.version])
        text.single("gaugehouse_ready", .gauge, "1 when readings are taken and served.", readinessReasons.isEmpty ? 1 : 0)
        text.store(store.statistics)
        text.tables(tables.map(\.summary), partitions: tables.flatMap(\.partitions))
        if let ingest = sources.ingest() { text.ingest(ingest) }
        requestMetrics.write(to: &text)
        liveClients.write(to: &text)
        connections.write(to: &text)
        bodies.write(to: &text)
        text.process(dataPath: options.dataPath)
        sources.metrics(&text)
        return Response(
            status: .ok, headers: [.contentType: PrometheusText.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: text.bytes)))
    }
}

extension PrometheusText {
    fileprivate mutating func store(_ statistics: StoreStatistics) {
        single("gaugehouse_readings_written_total", .counter, "Readings committed, duplicates included.", statistics.readings)
        single("gaugehouse_readings_duplicate_total", .counter, "Committed readings that said nothing new.", statistics.duplicates)
        rejects("gaugehouse_readings_rejected_total", "Readings that the store refused.", statistics.rejected)
        single(
            "gaugehouse_field_type_changes_total", .counter,
            "Readings that gave a field of their device another type than before; integers and doubles are one.", statistics.typeChanges)
        single("gaugehouse_commits_total", .counter, "Batches committed.", statistics.commits)
        single("gaugehouse_commit_groups_total", .counter, "Groups of commits written to the log together.", statistics.groups)
        family("gaugehouse_commit_sync_seconds", .summary, "Time to write and sync a group of commits.")
        sample(Double(statistics.syncNanoseconds) / 1e9, suffix: "_sum")
        sample(statistics.groups, suffix: "_count")
        single(
            "gaugehouse_commit_sync_max_seconds", .gauge, "Longest write and sync of a group since the start.",
            Double(statistics.maxSyncNanoseconds) / 1e9)
        single("gaugehouse_sequence", .gauge, "Sequence number of the newest visible reading.", Int(statistics.sequence))
        family("gaugehouse_storage_bytes", .gauge, "Bytes held, by kind of data.")
        sample(statistics.logByteCount, labels: ["kind": "log"])
        sample(statistics.headByteCount, labels: ["kind": "head"])
        sample(statistics.segmentByteCount, labels: ["kind": "segment"])
        single("gaugehouse_flushes_total", .counter, "Flushes of heads into segments.", statistics.flushes)
        single("gaugehouse_seals_total", .counter, "Partitions sealed.", statistics.seals)
        single("gaugehouse_partitions_dropped_total", .counter, "Partitions dropped.", statistics.droppedPartitions)
    }

    fileprivate mutating func tables(_ tables: [TableSummary], partitions: [PartitionSummary]) {
        perTable(tables, "gaugehouse_devices", "Devices known.") { $0.deviceCount }
        family("gaugehouse_table_readings_total", .counter, "Readings committed, duplicates included.")
        for table in tables { sample(table.readingCount, labels: ["table": table.options.name]) }
        perTable(tables, "gaugehouse_rows", "Rows stored.") { $0.rowCount }
        perTable(tables, "gaugehouse_table_bytes", "Bytes in segments and heads.") { $0.byteCount }
        perTable(tables, "gaugehouse_fields", "Distinct fields.") { $0.fields.count }
        family("gaugehouse_newest_reading_timestamp_seconds", .gauge, "Time of the newest reading.")
        for table in tables {
            guard let newest = table.newest else { continue }
            sample(Double(newest.microseconds) / 1e6, labels: ["table": table.options.name])
        }
        family("gaugehouse_partitions", .gauge, "Partitions by state.")
        for table in tables {
            for state in PartitionState.allCases where state != .dropped {
                let count = partitions.count { $0.table == table.options.name && $0.state == state }
                sample(count, labels: ["table": table.options.name, "state": state.rawValue])
            }
        }
    }

    private mutating func perTable(_ tables: [TableSummary], _ name: String, _ help: String, _ value: (TableSummary) -> Int) {
        family(name, .gauge, help)
        for table in tables { sample(value(table), labels: ["table": table.options.name]) }
    }

    fileprivate mutating func ingest(_ ingest: IngestSnapshot) {
        func each(_ name: String, _ kind: Kind, _ help: String, _ value: (IngestSnapshot) -> Int) {
            family(name, kind, help)
            for broker in ingest.brokers { sample(value(broker.snapshot), labels: ["broker": broker.name]) }
        }
        each("gaugehouse_mqtt_connected", .gauge, "1 while connected to the broker.") { $0.isConnected ? 1 : 0 }
        each("gaugehouse_mqtt_messages_received_total", .counter, "MQTT messages received.") { $0.messages }
        each("gaugehouse_mqtt_bytes_received_total", .counter, "Payload bytes received.") { $0.bytes }
        each("gaugehouse_mqtt_readings_total", .counter, "Readings decoded from MQTT messages.") { $0.readings }
        each("gaugehouse_mqtt_reconnects_total", .counter, "Connections to the broker made again.") { $0.reconnects }
        family("gaugehouse_messages_rejected_total", .counter, "MQTT messages and readings that were not stored.")
        for broker in ingest.brokers {
            for reason in RejectReason.allCases {
                sample(broker.snapshot.rejected[reason, default: 0], labels: ["broker": broker.name, "reason": reason.rawValue])
            }
        }
    }

    /// Every reason has a sample from the start, so that rates work from the first reject on.
    private mutating func rejects(_ name: String, _ help: String, _ counts: [RejectReason: Int]) {
        family(name, .counter, help)
        for reason in RejectReason.allCases { sample(counts[reason, default: 0], labels: ["reason": reason.rawValue]) }
    }

    fileprivate mutating func process(dataPath: String?) {
        let process = ProcessStatistics.current()
        single("process_cpu_seconds_total", .counter, "User and system CPU time.", process.cpuSeconds)
        single("process_resident_memory_bytes", .gauge, "Resident memory.", process.residentByteCount)
        single("process_open_fds", .gauge, "Open file descriptors.", process.openFileCount)
        single("process_max_fds", .gauge, "Most file descriptors that may be open.", process.openFileLimit)
        single(
            "gaugehouse_disk_free_bytes", .gauge, "Free space of the store's file system.",
            dataPath.flatMap(ProcessStatistics.freeByteCount))
    }
}
