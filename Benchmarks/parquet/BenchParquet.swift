import ArgumentParser
import Glibc
import Parquet

/// Writes telemetry rows from a seed as a Parquet file and says what it cost. `Benchmarks/parquet/run` calls it and reads the JSON line.
@main
struct BenchParquet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gaugehouse-bench-parquet",
        abstract: "Writes telemetry rows as Parquet; prints one JSON object with CPU time and size.")

    @Argument(help: "The file to write.") var path: String
    @Option(help: "Rows to write.") var rows = 1_048_576
    @Option(help: "Rows of a device, one every 30 seconds.") var rowsPerDevice = 2_880
    @Option(help: "Rows of a row group.") var rowsPerGroup = 131_072
    @Option(help: "Seed of the rows.") var seed: UInt64 = 1
    @Option(help: "zstd level.") var level: Int32 = 3
    @Flag(help: "PLAIN everywhere.") var plain = false

    func validate() throws {
        guard rows > 0, rowsPerDevice > 0, rowsPerGroup > 0, (1...22).contains(level) else {
            throw ValidationError("rows and groups are positive, levels 1 to 22")
        }
    }

    func run() throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw ValidationError("cannot write \(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var options = ParquetWriterOptions(version: "0.0.0", build: "bench")
        options.encoding = plain ? .plain : .compact
        options.compressionLevel = level
        options.sortingColumns = [SortingColumn(column: 0, isDescending: false), SortingColumn(column: 1, isDescending: true)]
        let schema = try TelemetryRows.schema()
        let writer = try ParquetWriter(schema: schema, options: options) { try writeAll($0, to: file) }
        var source = TelemetryRows(seed: seed, rowsPerDevice: rowsPerDevice)
        var buffer = RowGroupBuffer(schema)
        var (fillSeconds, writeSeconds) = (0.0, 0.0)
        for first in stride(from: 0, to: rows, by: rowsPerGroup) {
            // Not measured: the store's part.
            source.make(min(rowsPerGroup, rows - first))
            fillSeconds += cpuSeconds { source.append(to: &buffer) }
            writeSeconds += try cpuSeconds { try writer.write(&buffer) }
        }
        var footer: ParquetFooter?
        writeSeconds += try cpuSeconds { footer = try writer.finish() }
        report(writer.byteCount, fillSeconds, writeSeconds)
        if let footer { reportColumns(footer) }
    }

    private func report(_ byteCount: Int, _ fillSeconds: Double, _ writeSeconds: Double) {
        let seconds = fillSeconds + writeSeconds
        print(
            "{\"rows\": \(rows), \"bytes\": \(byteCount), \"bytes_per_row\": \(Double(byteCount) / Double(rows)), "
                + "\"fill_seconds\": \(fillSeconds), \"write_seconds\": \(writeSeconds), \"rows_per_second\": \(Double(rows) / seconds)}")
    }

    /// To standard error: encoding and size of each column.
    private func reportColumns(_ footer: ParquetFooter) {
        for (index, column) in footer.columns.enumerated() {
            let chunks = footer.rowGroups.map { $0.chunks[index] }
            let encodings = Set(chunks.compactMap { $0.pageCounts.last?.encoding }).map { "\($0)" }.sorted().joined(separator: ", ")
            let byteCount = chunks.reduce(0) { $0 + $1.compressedByteCount }
            let line = "  \(column.name): \(encodings), \(Double(byteCount) / Double(rows)) bytes a row\n"
            _ = line.utf8.withContiguousStorageIfAvailable { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        }
    }
}

/// CPU time of the process in `body`.
private func cpuSeconds(_ body: () throws -> Void) rethrows -> Double {
    func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let start = now()
    try body()
    return now() - start
}

private struct WriteError: Error, CustomStringConvertible {
    let description: String
}

private func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32) throws {
    var rest = bytes
    while !rest.isEmpty {
        let count = write(file, rest.baseAddress, rest.count)
        guard count >= 0 || errno == EINTR else { throw WriteError(description: String(cString: strerror(errno))) }
        rest = UnsafeRawBufferPointer(rebasing: rest[max(0, count)...])
    }
}
