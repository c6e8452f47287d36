/// The least and the greatest of a column's values, as words, and what has no order.
struct ValueBounds {
    /// Nil: no value, or none but NaN.
    private(set) var words: (least: UInt64, greatest: UInt64)?
    private(set) var nanCount = 0

    init() {}

    init(_ words: UnsafeBufferPointer<UInt64>, of buffer: ColumnBuffer) {
        switch buffer.column.type {
        case .int64, .timestampMicrosUTC: self.words = Self.integers(words)
        case .double: (self.words, nanCount) = Self.doubles(words)
        case .boolean: self.words = Self.booleans(words)
        case .string, .binary: self.words = Self.byteStrings(words, buffer.dictionary)
        }
    }

    mutating func merge(_ other: ValueBounds, of buffer: ColumnBuffer) {
        nanCount += other.nanCount
        guard let theirs = other.words else { return }
        guard let ours = words else { return words = theirs }
        words = (
            least: Self.precedes(theirs.least, ours.least, buffer) ? theirs.least : ours.least,
            greatest: Self.precedes(ours.greatest, theirs.greatest, buffer) ? theirs.greatest : ours.greatest
        )
    }

    /// The order of the column's type. Not for NaN.
    static func precedes(_ a: UInt64, _ b: UInt64, _ buffer: ColumnBuffer) -> Bool {
        switch buffer.column.type {
        case .int64, .timestampMicrosUTC: Int64(bitPattern: a) < Int64(bitPattern: b)
        case .double: Double(bitPattern: a) < Double(bitPattern: b)
        case .boolean: a < b
        case .string, .binary: a != b && buffer.dictionary.precedes(Int(a), Int(b))
        }
    }

    private static func integers(_ words: UnsafeBufferPointer<UInt64>) -> (UInt64, UInt64)? {
        guard let first = words.first.map(Int64.init(bitPattern:)) else { return nil }
        var (least, greatest) = (first, first)
        for word in words {
            let value = Int64(bitPattern: word)
            least = min(least, value)
            greatest = max(greatest, value)
        }
        return (UInt64(bitPattern: least), UInt64(bitPattern: greatest))
    }

    /// NaN has no order and is left out; zeros are widened, -0 below and +0 above, because readers differ on how they compare.
    private static func doubles(_ words: UnsafeBufferPointer<UInt64>) -> ((UInt64, UInt64)?, Int) {
        var (least, greatest) = (Double.infinity, -Double.infinity)
        var nanCount = 0
        for word in words {
            let value = Double(bitPattern: word)
            nanCount += value.isNaN ? 1 : 0
            // A comparison with NaN is false.
            least = value < least ? value : least
            greatest = value > greatest ? value : greatest
        }
        guard nanCount < words.count else { return (nil, nanCount) }
        return (((least == 0 ? -0.0 : least).bitPattern, (greatest == 0 ? 0.0 : greatest).bitPattern), nanCount)
    }

    private static func booleans(_ words: UnsafeBufferPointer<UInt64>) -> (UInt64, UInt64)? {
        guard !words.isEmpty else { return nil }
        return (words.contains(0) ? 0 : 1, words.contains(1) ? 1 : 0)
    }

    /// Neighbours that are equal, a device or a status, are compared once.
    private static func byteStrings(_ words: UnsafeBufferPointer<UInt64>, _ dictionary: ByteDictionary) -> (UInt64, UInt64)? {
        guard let first = words.first else { return nil }
        var (least, greatest, previous) = (first, first, first)
        for word in words where word != previous {
            previous = word
            if word != least, dictionary.precedes(Int(word), Int(least)) { least = word }
            if word != greatest, dictionary.precedes(Int(greatest), Int(word)) { greatest = word }
        }
        return (least, greatest)
    }
}
