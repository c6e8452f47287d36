import Telemetry

/// One field of an aggregate: what its values come to, per window. Values come oldest first.
struct SeriesAccumulator {
    struct Window {
        var count = 0
        /// Integers and doubles apart, so that integers stay exact.
        var integerCount = 0
        /// Exact in whatever parts it is added.
        var integerSum: Int128 = 0
        var integerMin = Int64.max
        var integerMax = Int64.min
        var doubleCount = 0
        var doubleSum = 0.0
        /// NaN until there is a number.
        var doubleMin = Double.nan
        var doubleMax = Double.nan
        /// Bytes are slices of the accumulator's arena; unspecified where they are not kept.
        var first = Cell.absent
        var last = Cell.absent
    }

    private(set) var windows: [Window]
    private var arena: [UInt8] = []
    private let keepsBytes: Bool

    /// - Parameter keepsBytes: false when nobody asks for the first or last of strings and binaries.
    init(windowCount: Int, keepsBytes: Bool) {
        windows = Array(repeating: Window(), count: windowCount)
        self.keepsBytes = keepsBytes
    }

    /// Bytes of strings and binaries that are kept.
    var byteCount: Int { arena.count }

    /// A number.
    mutating func add(type: FieldType, bits: UInt64, window: Int) {
        windows.withUnsafeMutableBufferPointer { $0[window].add(type: type, bits: bits) }
    }

    /// Values that are no numbers: only the oldest and the newest are kept.
    /// - Parameter source: what bytes cells are slices of.
    mutating func add(count: Int, first: Cell, last: Cell, source: UnsafeRawBufferPointer, window: Int) {
        if keepsBytes {
            if windows[window].count == 0 { windows[window].first = keep(first, source) }
            forget(windows[window].last)
            windows[window].last = keep(last, source)
        }
        windows[window].count += count
    }

    /// Gives the bytes of a last value back. As values come oldest first, they are the arena's last.
    private mutating func forget(_ cell: Cell) {
        guard cell.type?.isBytes ?? false, cell.byteRange.upperBound == arena.count else { return }
        arena.removeLast(cell.byteCount)
    }

    private mutating func keep(_ cell: Cell, _ source: UnsafeRawBufferPointer) -> Cell {
        guard let type = cell.type, type.isBytes else { return cell }
        let offset = arena.count
        arena.append(contentsOf: source[cell.byteRange])
        return .bytes(type, offset: offset, count: cell.byteCount)
    }

    /// All values of a piece at once.
    mutating func add(_ statistics: ColumnStatistics, type: FieldType, window: Int) {
        windows[window].add(statistics, type: type)
    }

    /// - Parameter bytes: takes the bytes of a string or binary cell.
    func cell(_ function: AggregateQuery.Function, _ window: Int, into bytes: inout [UInt8]) -> Cell {
        let values = windows[window]
        switch function {
        case .count: return .integer(Int64(values.count))
        case .first: return copy(values.first, into: &bytes)
        case .last: return copy(values.last, into: &bytes)
        case .avg: return values.numberCount > 0 ? .double(values.sum / Double(values.numberCount)) : .absent
        case .sum:
            guard values.numberCount > 0 else { return .absent }
            guard values.doubleCount == 0, let sum = Int64(exactly: values.integerSum) else { return .double(values.sum) }
            return .integer(sum)
        case .min: return values.extreme(values.integerMin, values.doubleMin, isLess: true)
        case .max: return values.extreme(values.integerMax, values.doubleMax, isLess: false)
        }
    }

    private func copy(_ cell: Cell, into bytes: inout [UInt8]) -> Cell {
        guard let type = cell.type, type.isBytes else { return cell }
        let offset = bytes.count
        bytes.append(contentsOf: arena[cell.byteRange])
        return .bytes(type, offset: offset, count: cell.byteCount)
    }
}

extension Double {
    // Rounding an integer keeps its order to a double, but may make them equal. Then the double is a whole number: 2^63 at most, which is
    // no Int64.
    fileprivate func isLess(than integer: Int64) -> Bool {
        self == Double(integer) ? Int64(exactly: self).map { $0 < integer } ?? false : self < Double(integer)
    }

    fileprivate func isGreater(than integer: Int64) -> Bool {
        self == Double(integer) ? Int64(exactly: self).map { $0 > integer } ?? true : self > Double(integer)
    }
}

extension SeriesAccumulator.Window {
    var numberCount: Int { integerCount + doubleCount }
    /// The conversion of 64 bits is one instruction, that of 128 a long way.
    var sum: Double { (Int64(exactly: integerSum).map { Double($0) } ?? Double(integerSum)) + doubleSum }

    /// The integer unless a double lies beyond it; NaN lies nowhere.
    fileprivate func extreme(_ integer: Int64, _ double: Double, isLess: Bool) -> Cell {
        if doubleCount == 0 { return integerCount == 0 ? .absent : .integer(integer) }
        if integerCount == 0 { return .double(double) }
        return (isLess ? double.isLess(than: integer) : double.isGreater(than: integer)) ? .double(double) : .integer(integer)
    }

    @inline(__always)
    fileprivate mutating func note(_ cell: Cell) {
        if count == 0 { first = cell }
        last = cell
        count += 1
    }

    @inline(__always)
    fileprivate mutating func add(type: FieldType, bits: UInt64) {
        note(Cell(type: type, bits: bits))
        if type == .integer {
            let value = Int64(bitPattern: bits)
            integerCount += 1
            integerSum += Int128(value)
            if value < integerMin { integerMin = value }
            if value > integerMax { integerMax = value }
        } else if type == .double {
            let value = Double(bitPattern: bits)
            doubleCount += 1
            doubleSum += value
            widen(value, value)
        }
    }

    @inline(__always)
    private mutating func widen(_ least: Double, _ greatest: Double) {
        if least < doubleMin || doubleMin.isNaN { doubleMin = least }
        if greatest > doubleMax || doubleMax.isNaN { doubleMax = greatest }
    }

    fileprivate mutating func add(_ statistics: ColumnStatistics, type: FieldType) {
        guard statistics.count > 0 else { return }
        if count == 0 { first = Cell(type: type, bits: statistics.first) }
        last = Cell(type: type, bits: statistics.last)
        count += statistics.count
        if type == .integer {
            integerCount += statistics.count
            integerSum += Int128(Int64(bitPattern: statistics.sum))
            integerMin = min(integerMin, Int64(bitPattern: statistics.min))
            integerMax = max(integerMax, Int64(bitPattern: statistics.max))
        } else {
            doubleCount += statistics.count
            doubleSum += Double(bitPattern: statistics.sum)
            widen(Double(bitPattern: statistics.min), Double(bitPattern: statistics.max))
        }
    }
}
