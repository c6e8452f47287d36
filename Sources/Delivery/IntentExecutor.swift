import Logging
import ObjectStorage
import Parquet
import Telemetry
import TelemetryStore

/// Carries out one intent of the ledger: the rows of flushes (after, through] of a partition become objects, each exactly once.
///
/// Steps, and what a crash after each leaves for the next start:
/// 0. `table.markDelivering` (durable): the store merges nothing across what is being delivered. No intent yet: begins anew.
/// 1. `intent` in the ledger: which flushes, which folder. No object yet: the intent is carried out from its first row.
/// 2. The object is written under a temp name. Not visible: the temp file is removed, the rows are written again.
/// 3. `staged` in the ledger: the object's key, size and SHA-256, and the place of its last row. Not visible: as 2; the number is used
///    again, for nobody has seen it.
/// 4. The object becomes visible and durable. Staged but not recorded: the object is found, compared by size and SHA-256, and recorded. If
///    the disk took it back: as 3.
/// 5. Its footer is read back; `recorded` in the ledger. The next object begins behind the place of its last row: back to 2 while there
///    are rows.
/// 6. `delivered` in the ledger. No intent is open; the store still calls the rows undelivered.
/// 7. `table.markDelivered` (durable). Done. After 6 the next run does this first, before it looks for work.
///
/// Rows of flushes never change and a scan has one order, so "behind the place" names the same rows at every start, also after an
/// update of the program or a change of options; only objects not yet visible are made anew. An object that exists under the next key
/// with other content is an error and stays untouched.
struct IntentExecutor {
    let options: DeliveryOptions
    let table: Table
    let destination: any ObjectDestination
    let ledger: Ledger
    let logger: Logger
    let isStopped: () -> Bool
    /// Called for every object that is recorded.
    let didRecord: (PartitionID, DeliveredObject) -> Void

    /// Finishes the open intent of `partition`.
    func run(_ partition: PartitionID) throws {
        guard let open = ledger.state.open[partition] else { return }
        try destination.discardUnfinished(in: open.intent.folder, owner: options.name)
        try settleStaged(open)
        try writeObjects(partition)
        try ledger.append(.delivered(partition))
        try table.markDelivered(partition, task: options.name, through: open.intent.through)
    }

    /// Step 4, seen from the next start.
    private func settleStaged(_ open: LedgerState.OpenIntent) throws {
        guard let object = open.staged?.object, object.sequence == ledger.state.nextSequence(in: open.intent.folder) else { return }
        let key = try ObjectKey(object.key)
        guard let stat = try destination.stat(key) else { return }
        guard stat.byteCount == object.byteCount, try digest(of: key, byteCount: stat.byteCount) == object.sha256 else {
            throw ObjectError(.alreadyExists, "\(key) holds something else")
        }
        try record(open.intent.partition, object)
        logger.info("found a delivered object of an earlier start", metadata: ["key": "\(key)"])
    }

    private func digest(of key: ObjectKey, byteCount: Int) throws -> [UInt8] {
        let pieceByteCount = 1 << 20
        var digest = ContentDigest()
        for offset in stride(from: 0, to: byteCount, by: pieceByteCount) {
            let piece = try destination.read(key, offset: offset, count: min(pieceByteCount, byteCount - offset))
            piece.withUnsafeBytes { digest.update($0) }
        }
        return digest.finish()
    }

    private func writeObjects(_ partition: PartitionID) throws {
        guard let open = ledger.state.open[partition] else { return }
        let plan = try plan(for: open.intent)
        var source = try RowGroupSource(
            try scan(open.intent), plan, after: open.end, byteLimit: options.maxObjectByteCount)
        var buffer = RowGroupBuffer(plan.schema)
        var hasRows = try source.fill(&buffer)
        while hasRows {
            try writeObject(open.intent, &buffer, &source)
            hasRows = !buffer.isEmpty
        }
    }

    private func scan(_ intent: LedgerRecord.Intent) throws -> PartitionScan {
        try table.scan(intent.partition, after: intent.after, through: intent.through)
    }

    /// Mixed fields cost a scan of their own: the columns stand at the head of what is written.
    private func plan(for intent: LedgerRecord.Intent) throws -> ColumnPlan {
        let scan = try scan(intent)
        var survey = TypeSurvey(scan.fields)
        if survey.isNeeded {
            while let chunk = try scan.next() {
                if isStopped() { throw DeliveryError.stopped }
                survey.add(chunk, fieldCount: scan.fields.count)
            }
        }
        return try ColumnPlan(scan.fields, survey: survey)
    }

    /// Steps 2 to 5 for one object.
    private func writeObject(_ intent: LedgerRecord.Intent, _ buffer: inout RowGroupBuffer, _ source: inout RowGroupSource) throws {
        let sequence = ledger.state.nextSequence(in: intent.folder)
        let key = try ObjectName(task: options.name, folder: intent.folder).key(sequence: sequence)
        let upload = try destination.upload(key, owner: options.name)
        let writer = try ObjectWriter(
            upload, schema: buffer.schema, options: parquetOptions(intent, sequence), byteLimit: options.maxObjectByteCount)
        let end = try writer.write(&buffer, from: &source, isStopped: isStopped)
        let (object, footer) = try writer.finish(key: key, sequence: sequence)
        try ledger.append(.staged(.init(partition: intent.partition, object: object, end: end)))
        try upload.commit()
        try verify(key, object, footer)
        try record(intent.partition, object)
    }

    private func verify(_ key: ObjectKey, _ object: DeliveredObject, _ footer: ParquetFooter) throws {
        let stat = try destination.stat(key)
        guard stat?.byteCount == object.byteCount else {
            throw DeliveryError(.internal, .task, "\(key) has \(stat?.byteCount ?? 0) bytes after its upload, not \(object.byteCount)")
        }
        let found = try ParquetFooter.read(byteCount: object.byteCount) { try destination.read(key, offset: $0, count: $1) }
        guard found == footer else { throw DeliveryError(.internal, .partition, "\(key) has another footer after its upload") }
    }

    private func record(_ partition: PartitionID, _ object: DeliveredObject) throws {
        try ledger.append(.recorded(partition))
        didRecord(partition, object)
    }

    private func parquetOptions(_ intent: LedgerRecord.Intent, _ sequence: UInt64) -> ParquetWriterOptions {
        var parquet = ParquetWriterOptions(version: options.version, build: options.build)
        parquet.compressionLevel = options.compressionLevel
        parquet.sortingColumns = [
            SortingColumn(column: ColumnPlan.deviceColumn, isDescending: false),
            SortingColumn(column: ColumnPlan.timeColumn, isDescending: true),
        ]
        parquet.keyValues = [
            KeyValue("gaugehouse.task", options.name), KeyValue("gaugehouse.table", options.table),
            KeyValue("gaugehouse.partition", "\(intent.partition.window)"), KeyValue("gaugehouse.sequence", "\(sequence)"),
            KeyValue("gaugehouse.flushes", "\(intent.after + 1)-\(intent.through)"),
        ]
        return parquet
    }
}
