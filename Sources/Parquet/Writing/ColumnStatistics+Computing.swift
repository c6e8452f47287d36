extension ColumnStatistics {
    /// Bounds longer than this are left out, both: truncating them right is hard, and nobody prunes by them.
    /// Device ids (`Limits.deviceByteCount`) fit.
    private static let boundByteCountLimit = 256

    init(_ buffer: ColumnBuffer) {
        nullCount = Int64(buffer.nullCount)
        switch buffer.column.type {
        case .int64, .timestampMicrosUTC: setIntegerBounds(buffer.words)
        case .double: setDoubleBounds(buffer.words)
        case .boolean: setBooleanBounds(buffer.words)
        case .string, .binary: setByteBounds(buffer.dictionary)
        }
    }

    private mutating func setIntegerBounds(_ words: [UInt64]) {
        guard let first = words.first.map(Int64.init(bitPattern:)) else { return }
        var (least, greatest) = (first, first)
        for word in words {
            let value = Int64(bitPattern: word)
            least = min(least, value)
            greatest = max(greatest, value)
        }
        setBounds(UInt64(bitPattern: least), UInt64(bitPattern: greatest))
    }

    /// NaN has no order and is left out; zeros are widened, -0 below and +0 above, because readers differ on how they compare.
    private mutating func setDoubleBounds(_ words: [UInt64]) {
        var (least, greatest) = (Double.infinity, -Double.infinity)
        var notANumberCount = 0
        for word in words {
            let value = Double(bitPattern: word)
            if value.isNaN { notANumberCount += 1 }
            // A comparison with NaN is false.
            if value < least { least = value }
            if value > greatest { greatest = value }
        }
        nanCount = Int64(notANumberCount)
        guard notANumberCount < words.count else { return }
        setBounds((least == 0 ? -0.0 : least).bitPattern, (greatest == 0 ? 0.0 : greatest).bitPattern)
    }

    private mutating func setBooleanBounds(_ words: [UInt64]) {
        guard !words.isEmpty else { return }
        minimum = [words.contains(0) ? 0 : 1]
        maximum = [words.contains(1) ? 1 : 0]
    }

    /// Every entry of the dictionary occurs in the group.
    private mutating func setByteBounds(_ dictionary: ByteDictionary) {
        guard dictionary.count > 0 else { return }
        dictionary.bytes.withUnsafeBytes { bytes in
            var (least, greatest) = (bytes[dictionary.range(0)], bytes[dictionary.range(0)])
            for index in 1..<max(1, dictionary.count) {
                let value = bytes[dictionary.range(index)]
                if value.lexicographicallyPrecedes(least) { least = value }
                if greatest.lexicographicallyPrecedes(value) { greatest = value }
            }
            guard max(least.count, greatest.count) <= Self.boundByteCountLimit else { return }
            minimum = Array(least)
            maximum = Array(greatest)
        }
    }

    private mutating func setBounds(_ least: UInt64, _ greatest: UInt64) {
        minimum = withUnsafeBytes(of: least.littleEndian) { Array($0) }
        maximum = withUnsafeBytes(of: greatest.littleEndian) { Array($0) }
    }
}
