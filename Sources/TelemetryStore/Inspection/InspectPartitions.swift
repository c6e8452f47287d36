import Telemetry
import TelemetryCodec

/// The partitions of a table: directories, states, names and footers of segments.
extension Inspection {
    mutating func inspectPartitions(of table: Int) {
        let core = tables[table].core
        guard exists(core.directory) else { return }
        for name in names(in: core.directory) {
            let directory = core.directory + "/" + name
            guard let id = core.partitionID(directoryName: name) else {
                found(.unknownDirectory, directory, "its name is no partition of this table")
                continue
            }
            if core.end(of: id).microseconds <= core.droppedThrough {
                found(.droppedPartition, directory, "its window was dropped, the removal was cut short")
                continue
            }
            inspect(id, directory, of: table)
        }
    }

    private mutating func inspect(_ id: PartitionID, _ directory: String, of table: Int) {
        let partition = Partition(id: id, directory: directory)
        var segmentNames: [SegmentName] = []
        for name in names(in: directory) where name != "state" {
            if let segment = SegmentName(name) {
                segmentNames.append(segment)
            } else {
                found(.unknownFile, directory + "/" + name, "no file of a partition has this name")
            }
        }
        for name in segmentNames.sorted(by: { $0.flushes.lowerBound < $1.flushes.lowerBound }) {
            let file = directory + "/" + name.text
            if let wider = segmentNames.first(where: { $0.covers(name) }) {
                found(.superseded, file, "\(wider.text) holds its rows")
            } else if let segment = open(file, name, id, of: table) {
                partition.segments.append(segment)
            }
        }
        checkOverlaps(segmentNames, directory)
        partition.record = record(of: directory) ?? PartitionRecord()
        count(partition, of: table)
    }

    /// Ranges of flushes lie apart or inside each other: a merge takes whole segments.
    private mutating func checkOverlaps(_ names: [SegmentName], _ directory: String) {
        for name in names {
            for other in names
            where other.flushes.lowerBound > name.flushes.lowerBound
                && other.flushes.lowerBound <= name.flushes.upperBound && other.flushes.upperBound > name.flushes.upperBound
            {
                found(.segment, directory + "/" + other.text, "its flushes overlap those of \(name.text)")
            }
        }
    }

    private mutating func open(_ file: String, _ name: SegmentName, _ id: PartitionID, of table: Int) -> Segment? {
        let core = tables[table].core
        do throws(StoreError) {
            if let newer = try newerVersion(of: file) {
                found(.newerVersion, file, at: 8, "format version \(newer) was made by a newer version of gaugehouse")
                return nil
            }
            let segment = try Segment(path: file, fileSystem: fileSystem, cache: core.cache)
            guard segment.footer.flushes == name.flushes, segment.footer.table == core.number, segment.footer.window == id.window else {
                found(.foreignFile, file, at: segment.byteCount - SegmentFormat.footerByteCount, "the footer belongs to another segment")
                return nil
            }
            return segment
        } catch {
            found(error, .segment, file)
            return nil
        }
    }

    private func newerVersion(of file: String) throws(StoreError) -> UInt32? {
        let header = try storing { () throws(FileError) in
            try fileSystem.open(file, .read).bytes(at: 0, count: SegmentFormat.headerByteCount)
        }
        guard let header else { return nil }
        if case .newerVersion(let version) = SegmentFormat.reason(header, .malformed) { return version }
        return nil
    }

    private mutating func record(of directory: String) -> PartitionRecord? {
        let file = directory + "/state"
        guard exists(file), let bytes = contents(file) else { return nil }
        do throws(CodecError) { return try bytes.withBytes { (bytes) throws(CodecError) in try PartitionRecord(bytes) } } catch {
            found(error, .partitionState, file, at: 0, "the partition's state is damaged")
            return nil
        }
    }

    private mutating func count(_ partition: Partition, of table: Int) {
        let state = partition.state(scopes: partition.record.tasks.mapValues { _ in .everything })
        report.tables[table].partitions[state, default: 0] += 1
        report.tables[table].segmentCount += partition.segments.count
        report.tables[table].byteCount += partition.segmentByteCount
        for segment in partition.segments {
            report.tables[table].rowCount &+= segment.footer.newRowCount
            tables[table].flushedSequences[partition.id.window, default: 0] = max(
                tables[table].flushedSequences[partition.id.window] ?? 0, segment.footer.lastSequence)
        }
        tables[table].segments += partition.segments
    }

    /// A segment that knows readings which the log never had: the log lost its end.
    mutating func checkSegmentsAgainstLog() {
        guard let last = report.log.lastSequence ?? checkpoint?.sequence, knowsNames else { return }
        for segment in tables.flatMap(\.segments) where segment.footer.lastSequence > last {
            found(
                .logGap, segment.path,
                "it was flushed at reading \(segment.footer.lastSequence), but the log ends at \(last): the end of the log is missing")
        }
    }
}

extension SegmentName {
    /// Holds all flushes of `other`, and more.
    func covers(_ other: SegmentName) -> Bool {
        self != other && flushes.lowerBound <= other.flushes.lowerBound && flushes.upperBound >= other.flushes.upperBound
    }
}
