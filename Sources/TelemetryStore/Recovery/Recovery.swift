import Telemetry
import TelemetryCodec

/// Brings a store back from its directory.
///
/// 1. catalogue: which tables there are; 2. checkpoint: names, latest values, counters up to a sequence number; 3. segments: the live
/// ones follow from their names; 4. log: everything it still has, by the same code that applies live commits, leaving out of the
/// heads what a segment already holds; updates that the checkpoint has already are repeated in order and end in the same state.
struct Recovery {
    let fileSystem: any FileSystem
    let path: String
    let storeID: StoreID
    let tables: [TableCore]

    struct Result {
        var sequence: SequenceNumber
        var commitTime: Int64
        var notes: [String: [UInt8]]
        var logFiles: [LogFile]
    }

    func run() throws(StoreError) -> Result {
        let header = try readCheckpoint()
        let firstUncounted = tables.map(\.nextFlush)
        for table in tables { try openPartitions(of: table) }
        let result = try replay(header ?? Checkpoint.Header(), hasCheckpoint: header != nil)
        for (table, first) in zip(tables, firstUncounted) { try countReadings(of: table, from: first) }
        return result
    }

    private func readCheckpoint() throws(StoreError) -> Checkpoint.Header? {
        let file = path + "/checkpoint"
        guard let bytes = try storing({ () throws(FileError) in try fileSystem.contents(of: file) }) else { return nil }
        let byNumber = Dictionary(uniqueKeysWithValues: tables.map { ($0.number, $0) })
        do throws(CodecError) {
            return try bytes.withBytes { (bytes) throws(CodecError) in try Checkpoint.decode(bytes, tables: byNumber) }
        } catch {
            throw error.storeError(file, at: 0, "the checkpoint is damaged")
        }
    }

    // MARK: - Partitions

    /// Names are synced before they are believed: the process may have died between a rename and the sync of its directory.
    private func openPartitions(of table: TableCore) throws(StoreError) {
        try storing { () throws(FileError) in try fileSystem.syncDirectory(table.directory) }
        for name in try storing({ () throws(FileError) in try fileSystem.list(table.directory) }) {
            guard let id = table.partitionID(directoryName: name) else {
                throw StoreError(.corruption, "\(table.directory)/\(name) is no partition of this table; move it away")
            }
            if table.end(of: id).microseconds <= table.droppedThrough {
                // Step 3 of a drop that a crash cut short. Maintenance makes up for it: a start must not fail for what is in the way.
                table.unremoved.insert(table.directory + "/" + name)
                continue
            }
            let partition = table.partitionLocked(id.window)
            try open(partition, of: table)
            for segment in partition.segments {
                table.nextFlush = max(table.nextFlush, segment.footer.flushes.upperBound + 1)
            }
        }
    }

    /// Opens the live segments; removes temporary files and segments that a merged one covers.
    private func open(_ partition: Partition, of table: TableCore) throws(StoreError) {
        partition.isOnDisk = true
        try storing { () throws(FileError) in try fileSystem.syncDirectory(partition.directory) }
        var names: [SegmentName] = []
        for file in try storing({ () throws(FileError) in try fileSystem.list(partition.directory) }) {
            if file.hasSuffix(temporarySuffix) {
                try storing { () throws(FileError) in try fileSystem.unlink(partition.directory + "/" + file) }
            } else if let name = SegmentName(file) {
                names.append(name)
            }
        }
        let covered = names.filter { name in
            names.contains {
                $0 != name && $0.flushes.lowerBound <= name.flushes.lowerBound && $0.flushes.upperBound >= name.flushes.upperBound
            }
        }
        for name in names.sorted(by: { $0.flushes.lowerBound < $1.flushes.lowerBound }) where !covered.contains(name) {
            try open(partition.directory + "/" + name.text, name, of: partition, table)
        }
        // Only now: where the merged one is damaged, these are what there is of its rows.
        for name in covered { try storing { () throws(FileError) in try fileSystem.unlink(partition.directory + "/" + name.text) } }
        try readRecord(of: partition)
    }

    private func open(_ file: String, _ name: SegmentName, of partition: Partition, _ table: TableCore) throws(StoreError) {
        let segment = try Segment(path: file, fileSystem: fileSystem, cache: table.cache)
        guard segment.footer.flushes == name.flushes, segment.footer.table == table.number, segment.footer.window == partition.id.window
        else { throw segment.damage(at: segment.byteCount, "the footer belongs to another segment") }
        partition.segments.append(segment)
        partition.flushedSequence = max(partition.flushedSequence, segment.footer.lastSequence)
    }

    private func readRecord(of partition: Partition) throws(StoreError) {
        let file = partition.directory + "/state"
        guard let bytes = try storing({ () throws(FileError) in try fileSystem.contents(of: file) }) else { return }
        do throws(CodecError) {
            partition.record = try bytes.withBytes { (bytes) throws(CodecError) in try PartitionRecord(bytes) }
        } catch {
            throw error.storeError(file, at: 0, "the partition's state is damaged")
        }
    }

    /// Adds segments that are younger than the checkpoint to the devices' counters. A segment never straddles it: a merge waits for a
    /// checkpoint that covers its sources.
    private func countReadings(of table: TableCore, from first: FlushID) throws(StoreError) {
        for segment in table.partitions.values.flatMap(\.segments) where segment.footer.flushes.lowerBound >= first {
            var cursor = try SegmentCursor(segment)
            while let device = cursor.current {
                guard let number = table.registry.readingNames({ $0.devices.find(device.name) }) else {
                    throw segment.damage(at: 0, "it holds a device that neither checkpoint nor log define")
                }
                table.states.grow(to: Int(number) + 1)
                table.states.addFlushedReadings(number, device.entry.newRowCount)
                try cursor.advance()
            }
        }
    }

    // MARK: - Log

    private func replay(_ header: Checkpoint.Header, hasCheckpoint: Bool) throws(StoreError) -> Result {
        let reader = LogReader(fileSystem: fileSystem, directory: path + "/log", storeID: storeID)
        let files = try reader.files(after: header.flushedSequence)
        var result = Result(
            sequence: header.sequence, commitTime: header.commitTime, notes: header.notes, logFiles: files)
        for table in tables { table.appliedSequence = header.sequence }
        if hasCheckpoint, files.isEmpty, header.sequence > 0 {
            throw StoreError(.corruption, "\(path)/log: the log files are missing; the store holds \(header.sequence) readings of history")
        }
        result.sequence = try reader.replay(files, flushed: header.flushedSequence, checkpoint: header.sequence) {
            (record, payload) throws(StoreError) in
            result.commitTime = max(result.commitTime, record.commitTime)
            do throws(CodecError) {
                // The checkpoint's notes are newer than those of log files that a crash kept, or may have lost since.
                try apply(record, payload, notes: &result.notes, takesNotes: record.commitTime > header.commitTime)
            } catch {
                throw StoreError(.corruption, "\(path)/log, reading \(record.firstSequence): the record is malformed")
            }
        }
        try checkSegments(reach: result.sequence)
        for table in tables { table.states.forgetTypeChanges() }
        for table in tables { table.registry.withNames { ($0.loggedDevices, $0.loggedFields) = ($0.devices.count, $0.fields.count) } }
        return result
    }

    private func apply(
        _ record: LogRecordHeader, _ payload: UnsafeRawBufferPointer, notes: inout [String: [UInt8]], takesNotes: Bool
    ) throws(CodecError) {
        var cursor = ByteCursor(payload)
        var sequence = record.firstSequence
        while !cursor.isAtEnd {
            switch try GroupPayload.next(&cursor) {
            case .field(let number, let field, let name):
                try table(number).registry.withNames { (names) throws(CodecError) in
                    if let known = names.fields.find(name) {
                        guard known == field else { throw .malformed }
                    } else {
                        guard names.fields.count < Limits.fieldsPerTable, names.insertField(name) == field else { throw .malformed }
                    }
                }
            case .device(let number, let device, let name):
                let table = try table(number)
                try table.registry.withNames { (names) throws(CodecError) in
                    if let known = names.devices.find(name) {
                        guard known == device else { throw .malformed }
                    } else {
                        guard names.devices.count < Limits.devicesPerTable,
                            names.insertDevice(name, bucketCount: table.options.buckets) == device
                        else { throw .malformed }
                    }
                }
            case .rows(let number, let count, let base, let rows):
                _ = try table(number).applyLocked(
                    rows, count: count, base: base, commitTime: record.commitTime, firstSequence: sequence, isReplay: true)
                sequence += UInt64(count)
            case .note(let source, let bytes):
                if takesNotes { notes[source] = bytes.count == 0 ? nil : Array(bytes) }
            }
        }
        guard sequence == record.firstSequence + UInt64(record.readingCount) else { throw .malformed }
        for table in tables { table.appliedSequence = sequence - 1 }
    }

    private func table(_ number: TableNumber) throws(CodecError) -> TableCore {
        guard let table = tables.first(where: { $0.number == number }) else { throw .malformed }
        return table
    }

    /// A segment knows readings that the log no longer has: the log lost its end, and with it perhaps acked readings of other partitions.
    private func checkSegments(reach sequence: SequenceNumber) throws(StoreError) {
        for table in tables {
            for partition in table.partitions.values where partition.flushedSequence > sequence {
                throw StoreError(
                    .corruption,
                    "\(path)/log ends at reading \(sequence), but \(partition.directory) was flushed at reading "
                        + "\(partition.flushedSequence): the end of the log is missing")
            }
        }
    }
}
