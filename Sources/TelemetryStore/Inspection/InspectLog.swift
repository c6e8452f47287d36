import Telemetry
import TelemetryCodec

/// The commit log: files, records, sequence numbers, names, rows.
extension Inspection {
    mutating func inspectLog() {
        let directory = path + "/log"
        guard storeID != nil, exists(directory) else { return }
        var files: [LogFile] = []
        for name in names(in: directory) {
            if let file = LogFile(name: name) {
                files.append(file)
            } else {
                found(.unknownFile, directory + "/" + name, "no log file has this name")
            }
        }
        files.sort { $0.epoch < $1.epoch }
        guard !files.isEmpty else {
            if let checkpoint, checkpoint.sequence > 0 {
                found(.logGap, directory, "the log files are missing; the store holds \(checkpoint.sequence) readings of history")
            }
            return
        }
        leaveOutTrimmed(&files, directory)
        checkBegin(files[0], directory)
        report.log.firstSequence = files[0].firstSequence
        var next = files[0].firstSequence
        for (index, file) in files.enumerated() {
            let name = directory + "/" + file.name
            if file.firstSequence != next {
                found(.logGap, name, at: 0, "it should begin with reading \(next): readings before it are missing")
                knowsNames = false
            }
            next =
                inspect(file, name, isNewest: index == files.count - 1) ?? (index + 1 < files.count ? files[index + 1].firstSequence : next)
        }
        report.log.lastSequence = next &- 1
        if let checkpoint, next &- 1 < checkpoint.sequence, knowsNames {
            let newest = directory + "/" + files[files.count - 1].name
            found(.logGap, newest, "the log ends at reading \(next &- 1), but the checkpoint covers \(checkpoint.sequence)")
        }
    }

    /// Files that end before the last reading in segments: a crash kept them. The rule of `LogWriter.trim`.
    private mutating func leaveOutTrimmed(_ files: inout [LogFile], _ directory: String) {
        guard let checkpoint else { return }
        while files.count > 1, files[1].firstSequence <= checkpoint.flushedSequence {
            let file = files.removeFirst()
            found(.trimmedLog, directory + "/" + file.name, "all its readings are in segments")
        }
    }

    private mutating func checkBegin(_ first: LogFile, _ directory: String) {
        // Of a damaged checkpoint nothing is known.
        guard knowsNames else { return }
        let flushed = checkpoint?.flushedSequence ?? 0
        guard first.firstSequence > flushed &+ 1 else { return }
        found(
            .logGap, directory + "/" + first.name, at: 0,
            "readings \(flushed &+ 1) to \(first.firstSequence - 1) are missing before it")
        knowsNames = false
    }

    /// - Returns: sequence number behind the file's last reading; nil when it cannot be told.
    private mutating func inspect(_ logFile: LogFile, _ file: String, isNewest: Bool) -> SequenceNumber? {
        guard let bytes = contents(file) else {
            knowsNames = false
            return nil
        }
        report.log.fileCount += 1
        report.log.byteCount += bytes.count
        defer { withExtendedLifetime(bytes) {} }
        guard var walk = walk(logFile, file, bytes) else {
            knowsNames = false
            return nil
        }
        var expected = logFile.firstSequence
        var commitTime = Int64.min
        while let (offset, record, payload) = walk.next() {
            if record.firstSequence != expected {
                found(.log, file, at: offset, "expected reading \(expected), found \(record.firstSequence)")
            } else if record.commitTime <= commitTime {
                found(.log, file, at: offset, "the record was committed no later than the one before")
            }
            commitTime = record.commitTime
            expected = record.firstSequence &+ UInt64(record.readingCount)
            report.log.recordCount += 1
            report.log.readingCount += record.readingCount
            do throws(CodecError) { try inspect(record, payload) } catch {
                found(.log, file, at: offset, "the record is malformed")
                knowsNames = false
            }
        }
        inspectEnd(walk, file, isNewest: isNewest)
        return expected
    }

    private mutating func walk(_ logFile: LogFile, _ file: String, _ bytes: Bytes) -> LogFileWalk? {
        do throws(CodecError) {
            let walk = try LogFileWalk(bytes.buffer)
            if walk.header.storeID != storeID {
                found(.foreignFile, file, at: 16, "the file belongs to another store")
                return nil
            }
            if walk.header.epoch != logFile.epoch || walk.header.firstSequence != logFile.firstSequence {
                found(.foreignFile, file, at: 12, "the file header belongs to another file")
                return nil
            }
            if walk.header.fileByteCount != bytes.count {
                found(.log, file, at: bytes.count, "the file has \(bytes.count) bytes, but was made with \(walk.header.fileByteCount)")
            }
            return walk
        } catch {
            found(error, .log, file, at: 0, "the file header is damaged")
            return nil
        }
    }

    private mutating func inspectEnd(_ walk: LogFileWalk, _ file: String, isNewest: Bool) {
        switch walk.end() {
        case .clean: break
        case .damaged where isNewest && walk.header.isRelaxed:
            found(
                .tornEnd, file, at: walk.offset, "records behind a missing one; durability = interval or none may lose them in a power cut")
        case .damaged(let next):
            found(.log, file, at: walk.offset, "the record is damaged, and a valid one follows at offset \(next)")
            knowsNames = false
        case .torn where isNewest: found(.tornEnd, file, at: walk.offset, "a record that is not whole")
        case .torn:
            found(.log, file, at: walk.offset, "the record is damaged, and newer log files follow")
            knowsNames = false
        }
    }

    // MARK: - Payload

    /// As replay reads it, without heads and latest values.
    private mutating func inspect(_ record: LogRecordHeader, _ payload: UnsafeRawBufferPointer) throws(CodecError) {
        var cursor = ByteCursor(payload)
        var sequence = record.firstSequence
        while !cursor.isAtEnd {
            switch try GroupPayload.next(&cursor) {
            case .field(let number, let field, let name):
                let core = tables[try table(number)].core
                try core.registry.withNames { (names) throws(CodecError) in
                    guard (names.fields.find(name) ?? names.insertField(name)) == field else { throw .malformed }
                }
            case .device(let number, let device, let name):
                let core = tables[try table(number)].core
                try core.registry.withNames { (names) throws(CodecError) in
                    let known = names.devices.find(name)
                    guard (known ?? names.insertDevice(name, bucketCount: core.options.buckets)) == device else { throw .malformed }
                }
            case .rows(let number, let count, let base, let rows):
                try inspectRows(LoggedRows(rows, count: count, base: base), of: try table(number), firstSequence: sequence)
                sequence &+= UInt64(count)
            case .note: break
            }
        }
        guard sequence == record.firstSequence &+ UInt64(record.readingCount) else { throw .malformed }
    }

    private func table(_ number: TableNumber) throws(CodecError) -> Int {
        guard let index = tables.firstIndex(where: { $0.core.number == number }) else { throw .malformed }
        return index
    }

    private mutating func inspectRows(_ rows: LoggedRows, of table: Int, firstSequence: SequenceNumber) throws(CodecError) {
        let core = tables[table].core
        let (deviceCount, fieldCount) = core.registry.withNames { ($0.devices.count, $0.fields.count) }
        let flushed = tables[table].flushedSequences
        var (rows, sequence, unflushed) = (rows, firstSequence, 0)
        while let row = try rows.next() {
            guard row.device < UInt64(deviceCount) else { throw .malformed }
            var cells = ByteCursor(row.cells)
            while !cells.isAtEnd {
                guard try CellCoding.decode(&cells).field < fieldCount else { throw .malformed }
            }
            if sequence > flushed[core.window(of: row.time)] ?? 0 { unflushed += 1 }
            sequence &+= 1
        }
        report.tables[table].loggedRowCount += unflushed
    }
}
