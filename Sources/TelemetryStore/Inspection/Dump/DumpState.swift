import Telemetry
import TelemetryCodec

/// Dumps of the small files that are replaced whole: catalogue and partition state.
extension FileDump {
    func dumpCatalog(_ bytes: UnsafeRawBufferPointer, _ output: inout Output) throws(StoreError) {
        let catalog = try reading(at: 0, "the catalogue is malformed") { () throws(CodecError) in
            try resealed(bytes) { (bytes) throws(CodecError) in try Catalog(bytes) }
        }
        output.add(0, "catalogue", "version 1, store \(DumpText.id(catalog.storeID)), \(catalog.tables.count) tables")
        for table in catalog.tables {
            output.add(
                0, "table",
                "number \(table.number), \(table.name.debugDescription), \(table.buckets) buckets, "
                    + "partitions of \(table.partitionLength.text)"
            )
        }
        try checkSeal(bytes)
    }

    func dumpState(_ bytes: UnsafeRawBufferPointer, _ output: inout Output) throws(StoreError) {
        let record = try reading(at: 0, "the partition's state is malformed") { () throws(CodecError) in
            try resealed(bytes) { (bytes) throws(CodecError) in try PartitionRecord(bytes) }
        }
        let version = try reading(at: 8, "the file is too short") { () throws(CodecError) in
            var cursor = ByteCursor(bytes, offset: 8)
            return try cursor.fixed(UInt32.self)
        }
        output.add(
            0, "partition", "version \(version), " + (record.sealedThrough == 0 ? "open" : "sealed through flush \(record.sealedThrough)"))
        for (name, task) in record.tasks.sorted(by: { $0.key < $1.key }) {
            output.add(
                0, "task",
                "\(name.debugDescription), delivered through flush \(task.deliveredThrough)\(describe(task.delivering))")
        }
        try checkSeal(bytes)
    }

    private func describe(_ intent: PartitionRecord.Task.Intent?) -> String {
        switch intent {
        case nil: ""
        case .unknown: ", delivering"
        case .through(let flush): ", delivering through flush \(flush)"
        }
    }

    /// Reads the file as if its checksum held, so that as much of a damaged file shows as still makes sense.
    private func resealed<R>(
        _ bytes: UnsafeRawBufferPointer, _ read: (UnsafeRawBufferPointer) throws(CodecError) -> R
    ) throws(CodecError) -> R {
        guard bytes.count > 4 else { throw .truncated }
        var copy = RawBuffer(capacity: bytes.count)
        copy.append(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4)))
        let checksum = copy.withBytes { crc32c($0) }
        copy.append(fixed: checksum)
        return try copy.withBytes { (bytes) throws(CodecError) in try read(bytes) }
    }

    /// - Throws: `.corruption` when the CRC-32C at the end is not that of what stands before it.
    func checkSeal(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        let end = bytes.count - 4
        let stored = try reading(at: 0, "too short for a checksum") { () throws(CodecError) in
            var cursor = ByteCursor(bytes, offset: max(end, 0))
            return try cursor.fixed(UInt32.self)
        }
        guard stored == crc32c(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))) else {
            throw damage(at: end, "the checksum does not hold: something before it is not what was written")
        }
    }
}
