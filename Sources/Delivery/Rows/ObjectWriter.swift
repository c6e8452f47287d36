import ObjectStorage
import Parquet
import Telemetry
import TelemetryStore

/// Writes one object: row groups from the source until the size is reached, straight into the upload.
final class ObjectWriter {
    private let upload: any ObjectUpload
    private let output: HashedOutput
    private let writer: ParquetWriter
    private let byteLimit: Int
    private var rowCount = 0
    private var times: ClosedRange<Timestamp>?

    init(_ upload: any ObjectUpload, schema: ParquetSchema, options: ParquetWriterOptions, byteLimit: Int) throws {
        let output = HashedOutput()
        self.upload = upload
        self.output = output
        self.byteLimit = byteLimit
        writer = try ParquetWriter(schema: schema, options: options) { bytes in
            output.digest.update(bytes)
            try upload.write(bytes)
        }
    }

    /// Writes row groups as long as the object may grow.
    /// - Parameter buffer: filled with the first row group. Filled with the next object's first one on return, or empty at the end.
    func write(_ buffer: inout RowGroupBuffer, from source: inout RowGroupSource, isStopped: () -> Bool) throws -> ScanPosition {
        while true {
            let before = writer.byteCount
            note(buffer.rowCount, source.times)
            guard let end = source.position else { preconditionFailure("rows have a position") }
            try writer.write(&buffer)
            if isStopped() { throw DeliveryError.stopped }
            let hasMore = try source.fill(&buffer)
            // The next row group will be about as large as this one.
            guard hasMore, writer.byteCount + (writer.byteCount - before) <= byteLimit else { return end }
        }
    }

    /// Completes the object; it is not visible yet.
    /// - Returns: the footer a reader must find.
    func finish(key: ObjectKey, sequence: UInt64) throws -> (object: DeliveredObject, footer: ParquetFooter) {
        let footer = try writer.finish()
        guard let times else { preconditionFailure("an object has rows") }
        let object = DeliveredObject(
            key: key.text, sequence: sequence, rowCount: rowCount, byteCount: writer.byteCount, sha256: output.digest.finish(),
            minTime: times.lowerBound, maxTime: times.upperBound)
        return (object, footer)
    }

    private func note(_ count: Int, _ range: ClosedRange<Timestamp>?) {
        rowCount += count
        guard let range else { return }
        times = min(times?.lowerBound ?? range.lowerBound, range.lowerBound)...max(times?.upperBound ?? range.upperBound, range.upperBound)
    }
}

private final class HashedOutput { var digest = ContentDigest() }
