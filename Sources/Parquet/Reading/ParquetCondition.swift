/// What a scan may leave rows out by: row groups and pages whose bounds say that no row of theirs fulfils it. A null fulfils none.
package struct ParquetCondition: Sendable {
    package enum Test: Sendable {
        /// Of `timestamp` columns microseconds since the epoch, of `integer` columns the value.
        case within(ClosedRange<Int64>)
        /// Of `text` and `bytes` columns: equal to one of these.
        case oneOf([[UInt8]])
        /// Of `text` and `bytes` columns: begins with this.
        case prefix([UInt8])
    }

    /// Position in the reader's columns. The scan need not read it.
    package var column: Int
    package var test: Test

    package init(column: Int, _ test: Test) {
        self.column = column
        self.test = test
    }

    /// False: no value between the bounds passes.
    ///
    /// - Parameters:
    ///   - minimum: PLAIN bytes without a length, as statistics and indices have them; nil: unknown.
    ///   - maximum: likewise. Either may be cut short or rounded, outwards.
    func mayHold(_ column: ReadableColumn, minimum: [UInt8]?, maximum: [UInt8]?) -> Bool {
        switch test {
        case .within(let range):
            if let least = minimum.flatMap(column.order), least > range.upperBound { return false }
            if let greatest = maximum.flatMap(column.order), greatest < range.lowerBound { return false }
            return true
        case .oneOf(let values):
            guard column.isByteOrdered else { return true }
            return values.contains { value in
                !(minimum.map { value.lexicographicallyPrecedes($0) } ?? false)
                    && !(maximum.map { $0.lexicographicallyPrecedes(value) } ?? false)
            }
        case .prefix(let prefix):
            guard column.isByteOrdered else { return true }
            if let minimum, prefix.lexicographicallyPrecedes(minimum.prefix(prefix.count)) { return false }
            if let maximum, maximum.lexicographicallyPrecedes(prefix) { return false }
            return true
        }
    }
}

extension ReadableColumn {
    /// Bounds of strings are in the order of their bytes.
    fileprivate var isByteOrdered: Bool { kind == .text || kind == .bytes }

    /// A bound as a value of the column, nil if it is no such thing: of another length, or of a type without an order (INT96).
    fileprivate func order(_ bound: [UInt8]) -> Int64? {
        guard kind == .timestamp || kind == .integer else { return nil }
        guard bound.count == (stored.physicalType == .int32 ? 4 : 8), stored.physicalType != .int96 else { return nil }
        var word = bound.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        withUnsafeMutablePointer(to: &word) { conversion.convert($0, count: 1) }
        return Int64(bitPattern: word)
    }
}
