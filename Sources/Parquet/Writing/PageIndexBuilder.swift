/// Gathers the page index of a column chunk while its pages are written.
struct PageIndexBuilder {
    private(set) var offsetIndex = OffsetIndex()
    private var columnIndex = ColumnIndex()
    /// False: a page has values, but no bounds; a column index must then not be written.
    private var hasBounds = true
    private let type: ParquetType

    init(_ type: ParquetType) {
        self.type = type
        if type.isByteArray { offsetIndex.plainByteCounts = [] }
        if type == .double { columnIndex.nanCounts = [] }
    }

    mutating func add(_ page: PageCutter.Page, at location: OffsetIndex.Page, _ bounds: ValueBounds, _ buffer: ColumnBuffer) {
        offsetIndex.pages.append(location)
        if type.isByteArray {
            let byteCount = buffer.words[page.words].reduce(0) { $0 + buffer.dictionary.byteCount(Int($1)) }
            offsetIndex.plainByteCounts?.append(Int64(byteCount))
        }
        let encoded = EncodedBounds(bounds, of: buffer)
        hasBounds = hasBounds && (encoded != nil || page.words.isEmpty)
        columnIndex.isNullPage.append(page.words.isEmpty)
        columnIndex.minima.append(encoded?.minimum ?? [])
        columnIndex.maxima.append(encoded?.maximum ?? [])
        columnIndex.nullCounts.append(Int64(page.rows.count - page.words.count))
        columnIndex.nanCounts?.append(Int64(bounds.nanCount))
    }

    /// Nil: a page has NaN, or its bounds cannot be cut short. See `EncodedBounds`.
    func finishedColumnIndex() -> ColumnIndex? {
        guard hasBounds else { return nil }
        var index = columnIndex
        index.order = order
        return index
    }

    private var order: ColumnIndex.BoundaryOrder {
        let pages = columnIndex.isNullPage.indices.filter { !columnIndex.isNullPage[$0] }
        let lists = [columnIndex.minima, columnIndex.maxima]
        func holds(_ isOrdered: ([UInt8], [UInt8]) -> Bool) -> Bool {
            lists.allSatisfy { list in zip(pages, pages.dropFirst()).allSatisfy { isOrdered(list[$0], list[$1]) } }
        }
        if holds({ !precedes($1, $0) }) { return .ascending }
        return holds { !precedes($0, $1) } ? .descending : .unordered
    }

    /// The order of the type, on encoded bounds.
    private func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        switch type {
        case .int64, .timestampMicrosUTC: Int64(bitPattern: Self.word(a)) < Int64(bitPattern: Self.word(b))
        case .double: Double(bitPattern: Self.word(a)) < Double(bitPattern: Self.word(b))
        case .boolean, .string, .binary: a.lexicographicallyPrecedes(b)
        }
    }

    private static func word(_ bytes: [UInt8]) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}
