import ArgumentParser
import Glibc

/// Writes a data set down for the peers: as line protocol for engines with HTTP, as fixed-width records for the RocksDB program.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "generate")

    @OptionGroup var set: DataSet
    @Option(help: "Line protocol, times in ms: FILE.0, FILE.1, ...; FILE.0.offsets has where every 5000th line starts (u64).")
    var lines: String?
    @Option(help: "Files of lines, one for each connection, with its share of the devices as the store's committers have.") var writers = 3
    @Option(help: "Records for the RocksDB program: see RecordFormat.") var records: String?

    static let linesPerRequest = 5_000

    func run() throws {
        guard set.late == 0 else { throw ValidationError("files hold readings in order") }
        if let lines {
            for (number, devices) in Fleet.split(set, count: writers).enumerated() { try writeLines(of: devices, to: "\(lines).\(number)") }
        }
        if let records { try writeRecords(to: records) }
        printReport([("readings", Double(set.readingCount))])
    }

    private func writeLines(of devices: Range<Int>, to path: String) throws {
        var output = try FileOutput(path)
        var offsets = try FileOutput(path + ".offsets")
        var encoder = LineEncoder(set)
        var fleet = Fleet(set, devices: devices)
        var count = 0
        while let (device, sample) = fleet.next() {
            if count % Self.linesPerRequest == 0 { try offsets.append(fixed: UInt64(output.byteCount)) }
            try encoder.append(sample, of: device, to: &output)
            count += 1
        }
        try offsets.append(fixed: UInt64(output.byteCount))
        try offsets.close()
        try output.close()
    }

    /// Header: field count u32, then for each of them the decimal digits (u32; 255: raw double). Record: time ms i64, device u32,
    /// status u32 (255: none), four values f64. All little-endian.
    private func writeRecords(to path: String) throws {
        var output = try FileOutput(path)
        let fields = set.variant.fields
        let numeric = fields.filter { $0.kind != .status }
        try output.append(fixed: UInt32(numeric.count))
        for field in numeric {
            switch field.kind {
            case .decimal(let digits): try output.append(fixed: UInt32(digits))
            case .integer: try output.append(fixed: UInt32(0))
            default: try output.append(fixed: UInt32(255))
            }
        }
        var fleet = Fleet(set, devices: 0..<set.devices)
        while let (device, sample) = fleet.next() {
            try output.append(fixed: UInt64(bitPattern: sample.milliseconds))
            try output.append(fixed: UInt32(device))
            try output.append(fixed: UInt32(fields.count > numeric.count ? sample.status : 255))
            for (index, field) in numeric.enumerated() {
                let value =
                    switch field.kind {
                    case .decimal(let digits): sample.double(index, digits: digits)
                    case .noise: sample.doubles[index]
                    default: Double(sample.scaled[index])
                    }
                try output.append(fixed: value.bitPattern)
            }
        }
        try output.close()
    }
}

/// A file written front to back.
struct FileOutput {
    private var buffer: [UInt8] = []
    private let descriptor: Int32
    private var written = 0
    private static let portion = 1 << 20

    var byteCount: Int { written + buffer.count }

    init(_ path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw BenchError("cannot write \(path): error \(errno)") }
        buffer.reserveCapacity(Self.portion + 4_096)
    }

    mutating func append(_ bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.portion { try flush() }
    }

    mutating func append<I: FixedWidthInteger>(fixed value: I) throws {
        try withUnsafeBytes(of: value.littleEndian) { try append($0) }
    }

    private mutating func flush() throws {
        var offset = 0
        while offset < buffer.count {
            let count = buffer.withUnsafeBytes { write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
            guard count > 0 else { throw BenchError("write failed: error \(errno)") }
            offset += count
        }
        written += offset
        buffer.removeAll(keepingCapacity: true)
    }

    mutating func close() throws {
        try flush()
        guard Glibc.close(descriptor) == 0 else { throw BenchError("close failed: error \(errno)") }
    }
}

/// `readings,device=sensor-0000001 temperature=21.57,humidity=45.3,battery=87i,rssi=-61i,status="ok" 1704067200000`
struct LineEncoder {
    private let fields: [FieldShape]
    private let names: DeviceNames
    private var line: [UInt8] = []

    init(_ set: DataSet) {
        fields = set.variant.fields
        names = DeviceNames(count: set.devices)
    }

    mutating func append(_ sample: Sample, of device: Int, to output: inout FileOutput) throws {
        line.removeAll(keepingCapacity: true)
        line.append(contentsOf: "readings,device=".utf8)
        names.withName(device) { line.append(contentsOf: $0) }
        for (index, field) in fields.enumerated() {
            line.append(index == 0 ? UInt8(ascii: " ") : UInt8(ascii: ","))
            line.append(contentsOf: field.name)
            line.append(UInt8(ascii: "="))
            switch field.kind {
            case .decimal(let digits): append(decimal: Int64(sample.scaled[index]), digits: digits)
            case .integer:
                append(decimal: Int64(sample.scaled[index]), digits: 0)
                line.append(UInt8(ascii: "i"))
            case .noise: line.append(contentsOf: sample.doubles[index].description.utf8)
            case .status:
                line.append(UInt8(ascii: "\""))
                line.append(contentsOf: Generator.statuses[sample.status])
                line.append(UInt8(ascii: "\""))
            }
        }
        line.append(UInt8(ascii: " "))
        append(decimal: sample.milliseconds, digits: 0)
        line.append(UInt8(ascii: "\n"))
        try output.append(line)
    }

    private mutating func append(decimal value: Int64, digits: Int) {
        if value < 0 { line.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        let end = line.count
        var count = 0
        repeat {
            if count == digits, digits > 0 { line.append(UInt8(ascii: ".")) }
            line.append(UInt8(48 + rest % 10))
            rest /= 10
            count += 1
        } while rest > 0 || count <= digits
        line[end...].reverse()
    }
}
