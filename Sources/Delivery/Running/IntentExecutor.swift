import Logging
import ObjectStorage
import Parquet
import Telemetry
import TelemetryStore

/// Carries out one intent of the ledger: the rows of flushes (after, through] of a partition become objects, each exactly once.
///
/// Steps, and what a crash after each leaves for the next start:
/// 0. `table.markDelivering` (durable): the store merges nothing across what is being delivered. No intent yet: begins anew.
/// 1. `intent` in the ledger: which flushes, which folders. No object yet: the intent is carried out from its first row.
/// 2. The object is written under a temp name. Not visible: the temp file is removed, the rows are written again.
/// 3. `staged` in the ledger: the object's key, size and SHA-256, and the place of its last row. Not visible: as 2; the number is used
///    again, for nobody has seen it.
/// 4. The object becomes visible and durable. Staged but not recorded: the object is found, compared by size and SHA-256, and recorded. If
///    the disk took it back: as 3.
/// 5. Its footer is read back; `recorded` in the ledger. The next object begins behind the place of its last row: back to 2 while there
///    are rows.
/// 6. Where the prefix cuts the partition into slices: `slice` in the ledger, and 2 to 5 for the next one that has rows.
/// 7. The partition's manifest is replaced. It says what 8 will say: made again.
/// 8. `delivered` in the ledger. No intent is open; the store still calls the rows undelivered.
/// 9. `table.markDelivered` (durable). Done. After 8 the next run does this first, before it looks for work.
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
        let slices = try slices(of: open.intent)
        let plan = try plan(for: open.intent)
        if slices.indices.contains(open.slice) {
            try destination.discardUnfinished(in: slices[open.slice].folder, owner: options.name)
        }
        try settleStaged(partition)
        for index in open.slice..<max(open.slice, slices.count) { try writeObjects(partition, index, slices[index], plan) }
        try Manifest(table: table, task: options.name, intent: open.intent, objects: ledger.state.objects[partition] ?? [])
            .write(to: destination)
        try ledger.append(.delivered(partition))
        try table.markDelivered(partition, task: options.name, through: open.intent.through)
    }

    /// Ends the open intent of a partition whose rows are gone. An object that may be visible is looked for: its number is not free then.
    func abandon(_ partition: PartitionID) throws {
        try settleStaged(partition)
        try ledger.append(.delivered(partition))
    }

    private func slices(of intent: LedgerRecord.Intent) throws -> [FolderSlice] {
        FolderSlices.slices(
            of: try PrefixTemplate(text: intent.folder), start: table.start(of: intent.partition), end: table.end(of: intent.partition),
            buckets: table.options.buckets)
    }

    /// Step 6, before the first object of a slice is staged: whatever is staged belongs to the slice that the ledger names. Slices without
    /// rows need no record: to look again finds none again.
    private func enter(_ index: Int, _ partition: PartitionID) throws {
        guard let open = ledger.state.open[partition], index > open.slice else { return }
        try ledger.append(.slice(partition, index))
    }

    /// Step 4, seen from the next start.
    private func settleStaged(_ partition: PartitionID) throws {
        guard let object = ledger.state.open[partition]?.staged?.object, object.sequence == ledger.state.nextSequence(in: object.folder),
            try isVisible(object)
        else { return }
        try record(partition, object)
        logger.info("found a delivered object of an earlier start", metadata: ["key": "\(object.key)"])
    }

    /// - Throws: `ObjectError.alreadyExists` when something else is under the object's key.
    private func isVisible(_ object: DeliveredObject) throws -> Bool {
        let key = try ObjectKey(object.key)
        guard let stat = try destination.stat(key) else { return false }
        guard stat.byteCount == object.byteCount, try digest(of: key, byteCount: stat.byteCount) == object.sha256 else {
            throw ObjectError(.alreadyExists, "\(key) holds something else")
        }
        return true
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

    private func writeObjects(_ partition: PartitionID, _ index: Int, _ slice: FolderSlice, _ plan: ColumnPlan) throws {
        guard let open = ledger.state.open[partition] else { return }
        let scan = try table.scan(
            partition, after: open.intent.after, through: open.intent.through, times: slice.times, bucket: slice.bucket)
        let position = index == open.slice ? open.end : nil
        var source = try RowGroupSource(scan, plan, after: position, byteLimit: options.maxObjectByteCount)
        var buffer = RowGroupBuffer(plan.schema)
        var hasRows = try source.fill(&buffer)
        if hasRows, index > open.slice {
            try destination.discardUnfinished(in: slice.folder, owner: options.name)
            try enter(index, partition)
        }
        while hasRows {
            try writeObject(open.intent, slice, &buffer, &source)
            hasRows = !buffer.isEmpty
        }
    }

    /// Mixed fields cost a scan of their own: the columns stand at the head of what is written.
    private func plan(for intent: LedgerRecord.Intent) throws -> ColumnPlan {
        let scan = try table.scan(intent.partition, after: intent.after, through: intent.through)
        var survey = TypeSurvey(scan.fields)
        if survey.isNeeded {
            while let chunk = try scan.next() {
                if isStopped() { throw DeliveryError.stopped }
                survey.add(chunk, fieldCount: scan.fields.count)
            }
        }
        return try ColumnPlan(scan.fields, survey: survey, hasBucketColumn: options.hasBucketColumn)
    }

    /// Steps 2 to 5 for one object.
    private func writeObject(
        _ intent: LedgerRecord.Intent, _ slice: FolderSlice, _ buffer: inout RowGroupBuffer, _ source: inout RowGroupSource
    ) throws {
        let sequence = ledger.state.nextSequence(in: slice.folder)
        let key = try ObjectName(task: options.name, folder: slice.folder).key(sequence: sequence)
        let upload = try destination.upload(key, owner: options.name)
        let writer = try ObjectWriter(
            upload, schema: buffer.schema, options: parquetOptions(intent, sequence), byteLimit: options.maxObjectByteCount)
        let end = try writer.write(&buffer, from: &source, isStopped: isStopped)
        let (object, footer) = try writer.finish(key: key, sequence: sequence)
        try ledger.append(.staged(.init(partition: intent.partition, object: object, end: end)))
        try commit(upload, object)
        try verify(key, object, footer)
        try record(intent.partition, object)
    }

    /// An answer that was lost says nothing about the object: it is looked for before anything is called a failure.
    private func commit(_ upload: any ObjectUpload, _ object: DeliveredObject) throws {
        do {
            try upload.commit()
        } catch {
            guard (try? isVisible(object)) == true else { throw error }
            logger.info("an object is there, though its upload failed", metadata: ["key": "\(object.key)", "error": "\(error)"])
        }
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
        parquet.encoding = options.isPlain ? .plain : .compact
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
