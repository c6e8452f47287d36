import ArgumentParser
import Telemetry
import TelemetryCodec

/// What a data set takes as raw eight-byte columns with zstd, the values alone and with the times: the yardstick for data that does
/// not compress.
struct PlainColumnsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "plain-columns")

    @OptionGroup var set: DataSet
    @Option(help: "zstd level; the store's is 3.") var level: Int32 = 3

    func run() throws {
        let fields = set.variant.fields
        var report: [(String, Double)] = []
        for rows in [4_096, 131_072] {
            let compressor = ZstdCompressor(level: level)
            var columns = Columns(count: fields.count)
            var compressed = (values: 0, times: 0)
            for device in 0..<set.devices {
                var generator = Generator(device: device, of: set)
                for _ in 0..<set.ticks {
                    columns.append(generator.next(), fields)
                    if columns.rowCount == rows { columns.compress(compressor, &compressed) }
                }
            }
            columns.compress(compressor, &compressed)
            report += [
                ("values_\(rows)", Double(compressed.values) / Double(set.readingCount)),
                ("values_and_times_\(rows)", Double(compressed.values + compressed.times) / Double(set.readingCount)),
            ]
        }
        printReport(report)
    }

    /// Raw values of neighbouring rows, device after device; without the devices' names.
    private struct Columns {
        private var times: [Int64] = []
        private var values: [[UInt64]]
        var rowCount: Int { times.count }

        init(count: Int) { values = Array(repeating: [], count: count) }

        mutating func append(_ sample: Sample, _ fields: [FieldShape]) {
            times.append(sample.milliseconds * 1_000)
            for (index, field) in fields.enumerated() {
                switch field.kind {
                case .decimal(let digits): values[index].append(sample.double(index, digits: digits).bitPattern)
                case .integer: values[index].append(UInt64(bitPattern: Int64(sample.scaled[index])))
                case .noise: values[index].append(sample.doubles[index].bitPattern)
                case .status: values[index].append(UInt64(sample.status))
                }
            }
        }

        /// Adds the compressed bytes of all columns to `total`, and empties them.
        mutating func compress(_ compressor: borrowing ZstdCompressor, _ total: inout (values: Int, times: Int)) {
            guard rowCount > 0 else { return }
            var output = RawBuffer()
            total.times += times.withUnsafeBytes { compressor.compress($0, into: &output) }
            times.removeAll(keepingCapacity: true)
            for index in values.indices {
                output.removeAll()
                total.values += values[index].withUnsafeBytes { compressor.compress($0, into: &output) }
                values[index].removeAll(keepingCapacity: true)
            }
        }
    }
}
