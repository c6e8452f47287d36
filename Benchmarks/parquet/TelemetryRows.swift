import Parquet

/// Rows as a store would hand them over: by device, newest first, column by column; missing values as a bitmap.
///
/// From the seed alone, with integer arithmetic and divisions by powers of ten, so that they are the same on every machine.
struct TelemetryRows {
    private static let statuses = ["ok", "degraded", "charging"].map { Array($0.utf8) }
    private static let newest: Int64 = 1_767_225_600_000_000
    private static let step: Int64 = 30_000_000

    static func schema() throws -> ParquetSchema {
        try ParquetSchema([
            ParquetColumn("device", .string, isOptional: false), ParquetColumn("time", .timestampMicrosUTC, isOptional: false),
            ParquetColumn("battery", .int64, isOptional: true), ParquetColumn("counter", .int64, isOptional: true),
            ParquetColumn("temperature", .double, isOptional: true), ParquetColumn("humidity", .double, isOptional: true),
            ParquetColumn("voltage", .double, isOptional: true), ParquetColumn("vibration", .double, isOptional: true),
            ParquetColumn("is_open", .boolean, isOptional: true), ParquetColumn("status", .string, isOptional: true),
        ])
    }

    private let rowsPerDevice: Int
    private var random: UInt64
    private var row = 0
    private var state = State()

    /// First row and name of each device in the group.
    private var devices: [(firstRow: Int, name: [UInt8])] = []
    private var count = 0
    private var columns: [[UInt64]] = Array(repeating: [], count: 8)
    private var humidityBitmap: [UInt8] = []
    private var statusCodes: [UInt8] = []

    private struct State {
        var battery: Int64 = 90
        var counter: Int64 = 0
        var temperature: Int64 = 2_000
        var humidity: Int64 = 500
        var isOpen = false
        var status = 0
    }

    init(seed: UInt64, rowsPerDevice: Int) {
        self.rowsPerDevice = rowsPerDevice
        random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    /// Makes the next `count` rows.
    mutating func make(_ count: Int) {
        self.count = count
        devices.removeAll(keepingCapacity: true)
        for column in columns.indices { columns[column].removeAll(keepingCapacity: true) }
        humidityBitmap = [UInt8](repeating: 0, count: (count + 7) / 8)
        for index in 0..<count {
            if row % rowsPerDevice == 0 || index == 0 { startDevice(at: index) }
            makeRow(index)
            row += 1
        }
    }

    private mutating func startDevice(at index: Int) {
        let digits = String(row / rowsPerDevice)
        devices.append((index, Array(("sensor-" + String(repeating: "0", count: 7 - min(7, digits.count)) + digits).utf8)))
        guard row % rowsPerDevice == 0 else { return }
        let draw = nextRandom()
        state = State(
            battery: 20 + Int64(draw % 81), counter: Int64(draw >> 8 & 0xFF_FFFF), temperature: 1_500 + Int64(draw >> 16 % 1_500),
            humidity: 300 + Int64(draw >> 32 % 400))
    }

    private mutating func makeRow(_ index: Int) {
        let draw = nextRandom()
        state.temperature += Int64(draw & 7) - Int64(draw >> 3 & 7)
        if draw >> 6 & 3 == 0 { state.humidity = min(1_000, max(0, state.humidity + Int64(draw >> 8 & 2) - 1)) }
        if draw >> 10 & 511 == 0 { state.battery = state.battery > 1 ? state.battery - 1 : 100 }
        state.counter -= Int64(draw >> 20 & 31)
        if draw >> 25 & 255 == 0 { state.isOpen.toggle() }
        if draw >> 33 & 255 == 0 { state.status = Int(draw >> 41 & 3) % 3 }
        let jitter = Int64(draw >> 43 & 0xFF) * 1_000
        columns[0].append(UInt64(bitPattern: Self.newest - Int64(row % rowsPerDevice) * Self.step + jitter))
        columns[1].append(UInt64(bitPattern: state.battery))
        columns[2].append(UInt64(bitPattern: state.counter))
        columns[3].append((Double(state.temperature) / 100).bitPattern)
        if draw >> 51 & 15 != 0 {
            columns[4].append((Double(state.humidity) / 10).bitPattern)
            humidityBitmap[index >> 3] |= 1 << UInt8(index & 7)
        }
        columns[5].append((Double(3_300 + Int64(draw >> 55 & 63)) / 1_000).bitPattern)
        // Every bit of the mantissa: nothing can make these small.
        columns[6].append((Double(nextRandom() >> 12) * 0x1p-52 + 0.5).bitPattern)
        columns[7].append(state.isOpen ? 1 : 0)
        statusCodes.append(UInt8(state.status))
    }

    /// Appends the rows made last, as a store that decodes column by column would.
    mutating func append(to buffer: inout RowGroupBuffer) {
        for (index, device) in devices.enumerated() {
            let end = index + 1 < devices.count ? devices[index + 1].firstRow : count
            device.name.withUnsafeBytes { buffer.append($0, count: end - device.firstRow, to: 0) }
        }
        for (index, words) in columns.enumerated() {
            words.withUnsafeBufferPointer { words in
                guard index == 4 else { return buffer.append(words: words, to: index + 1) }
                humidityBitmap.withUnsafeBytes { buffer.append(words: words, bitmap: $0, rows: 0..<count, to: index + 1) }
            }
        }
        appendStatuses(to: &buffer)
    }

    /// Codes of a dictionary of the store's, renumbered.
    private mutating func appendStatuses(to buffer: inout RowGroupBuffer) {
        var numbers = [UInt64?](repeating: nil, count: Self.statuses.count)
        var words: [UInt64] = []
        words.reserveCapacity(count)
        for code in statusCodes {
            let number = numbers[Int(code)] ?? Self.statuses[Int(code)].withUnsafeBytes { buffer.number(of: $0, in: 9) }
            numbers[Int(code)] = number
            words.append(number)
        }
        words.withUnsafeBufferPointer { buffer.append(words: $0, to: 9) }
        statusCodes.removeAll(keepingCapacity: true)
    }

    /// xorshift64* (Vigna 2016).
    private mutating func nextRandom() -> UInt64 {
        random ^= random >> 12
        random ^= random << 25
        random ^= random >> 27
        return random &* 0x2545_F491_4F6C_DD1D
    }
}
