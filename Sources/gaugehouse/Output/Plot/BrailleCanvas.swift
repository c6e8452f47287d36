/// Dots, eight in a character (U+2800…).
struct BrailleCanvas {
    /// Bits of the dots of a character, row by row, left before right.
    private static let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]

    private let columnCount: Int
    private var cells: [UInt8]
    /// In dots.
    let width: Int
    let height: Int

    init(columnCount: Int, rowCount: Int) {
        self.columnCount = columnCount
        (width, height) = (2 * columnCount, 4 * rowCount)
        cells = Array(repeating: 0, count: columnCount * rowCount)
    }

    /// - Parameters: x from the left, y from the top.
    mutating func set(_ x: Int, _ y: Int) {
        guard (0..<width).contains(x), (0..<height).contains(y) else { return }
        cells[y / 4 * columnCount + x / 2] |= Self.bits[y % 4][x % 2]
    }

    /// Bresenham's line.
    mutating func line(from start: (x: Int, y: Int), to end: (x: Int, y: Int)) {
        let (width, height) = (abs(end.x - start.x), -abs(end.y - start.y))
        let (stepX, stepY) = (start.x < end.x ? 1 : -1, start.y < end.y ? 1 : -1)
        var (x, y) = start
        var error = width + height
        while true {
            set(x, y)
            if x == end.x, y == end.y { return }
            let doubled = 2 * error
            if doubled >= height { (error, x) = (error + height, x + stepX) }
            if doubled <= width { (error, y) = (error + width, y + stepY) }
        }
    }

    /// Blanks for characters without dots, none at the end.
    var rows: [String] {
        stride(from: 0, to: cells.count, by: columnCount).map { start in
            let row = cells[start..<(start + columnCount)]
            let end = row.lastIndex { $0 != 0 }.map { $0 + 1 } ?? start
            return String(row[..<end].map { $0 == 0 ? " " : Character(Unicode.Scalar(0x2800 + UInt32($0))!) })
        }
    }
}
