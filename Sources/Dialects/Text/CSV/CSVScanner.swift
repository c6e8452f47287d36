import Telemetry

/// Cuts CSV (RFC 4180) into records and cells. Blank lines are skipped; a record ends with CRLF, LF or the payload.
struct CSVScanner: ~Copyable {
    /// Cells of one record.
    static let cellLimit = Limits.fieldsPerReading + 8

    private struct Cell {
        var range: Range<Int>
        /// In `memory`, because it had doubled quotes; otherwise in the payload.
        var isCopied: Bool
    }

    private var payload = UnsafeRawBufferPointer(start: nil, count: 0)
    private var position = 0
    private var separator = UInt8(ascii: ",")
    private var cells: [Cell] = []
    private var memory = ScratchBytes()
    private var nextLine = 1
    /// The payload ended between quotes.
    private var isUnclosed = false
    /// Where the record given last begins, counted from 1.
    private(set) var line = 0
    /// Lines that the record given last has, if a quote of it is never closed; otherwise 1.
    private(set) var takenLineCount = 1

    var count: Int { cells.count }

    /// White space at its ends removed. Holds until the next record.
    subscript(_ index: Int) -> UnsafeRawBufferPointer {
        let cell = cells[index]
        return (cell.isCopied ? memory.bytes : payload).slice(cell.range).trimmed
    }

    /// - Parameter columnCount: what the first record must have; nil: any number.
    mutating func start(_ payload: UnsafeRawBufferPointer, columnCount: Int?) {
        let end = payload.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
        self.payload = payload.slice(0..<end)
        (position, nextLine, line, isUnclosed) = (0, 1, 0, false)
        separator = UInt8(ascii: ",")
        if end >= 3, payload[0] == 0xEF, payload[1] == 0xBB, payload[2] == 0xBF { position = 3 }
        let start = position
        skipBlankLines()
        separator = Self.separator(of: payload.slice(min(position, end)..<end), columnCount: columnCount)
        (position, nextLine) = (start, 1)
    }

    /// The first of comma, semicolon and tab that the first line has outside quotes, as often as there are columns; a comma otherwise.
    private static func separator(of text: UnsafeRawBufferPointer, columnCount: Int?) -> UInt8 {
        var (commas, semicolons, tabs) = (0, 0, 0)
        var isQuoted = false
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted: commas += 1
            case UInt8(ascii: ";") where !isQuoted: semicolons += 1
            case UInt8(ascii: "\t") where !isQuoted: tabs += 1
            default: break
            }
            if byte == UInt8(ascii: "\n"), !isQuoted { break }
        }
        let fits: (Int) -> Bool = { count in columnCount.map { count == $0 - 1 } ?? (count > 0) }
        if !fits(commas), fits(semicolons) { return UInt8(ascii: ";") }
        return !fits(commas) && fits(tabs) ? UInt8(ascii: "\t") : UInt8(ascii: ",")
    }

    /// Reads the next record.
    ///
    /// - Returns: false when there is none.
    /// - Throws: its quotes do not fit, or it is too wide; the next call takes the record after it.
    mutating func next() throws(Rejection) -> Bool {
        cells.removeAll(keepingCapacity: true)
        memory.removeAll()
        skipBlankLines()
        line = nextLine
        takenLineCount = 1
        guard position < payload.count else { return false }
        let start = position
        var problem: Rejection?
        while true {
            do throws(Rejection) { try readCell() } catch {
                problem = problem ?? error
                if isUnclosed { takenLineCount = max(1, payload.slice(start..<payload.count).filledLineCount) }
            }
            guard position < payload.count, payload[position] == separator else { break }
            position += 1
        }
        skipLineEnd()
        if let problem { throw problem }
        return true
    }

    private mutating func readCell() throws(Rejection) {
        guard position < payload.count, payload[position] == UInt8(ascii: "\"") else {
            let start = position
            skipToCellEnd()
            return try add(Cell(range: start..<position, isCopied: false))
        }
        let cell = try quotedCell()
        if !atCellEnd {
            skipToCellEnd()
            throw Rejection(.undecodable, "text behind a closing quote")
        }
        try add(cell)
    }

    private mutating func add(_ cell: Cell) throws(Rejection) {
        guard cells.count < Self.cellLimit else { throw Rejection(.tooManyFields, "more than \(Self.cellLimit) columns") }
        cells.append(cell)
    }

    /// From its opening quote to behind its closing one; a doubled quote stands for one.
    private mutating func quotedCell() throws(Rejection) -> Cell {
        position += 1
        let openingLine = nextLine
        let start = position
        let copyStart = memory.count
        var hasCopy = false
        var runStart = position
        while position < payload.count {
            let byte = payload[position]
            if byte == UInt8(ascii: "\n") { nextLine += 1 }
            guard byte == UInt8(ascii: "\"") else {
                position += 1
                continue
            }
            let run = payload.slice(runStart..<position)
            position += 1
            guard position < payload.count, payload[position] == UInt8(ascii: "\"") else {
                guard hasCopy else { return Cell(range: start..<position - 1, isCopied: false) }
                memory.append(run)
                return Cell(range: copyStart..<memory.count, isCopied: true)
            }
            memory.append(run)
            hasCopy = true
            runStart = position
            position += 1
        }
        isUnclosed = true
        throw Rejection(.undecodable, "the quote that is opened on line \(openingLine) is never closed")
    }

    private var atCellEnd: Bool {
        guard position < payload.count else { return true }
        let byte = payload[position]
        if byte == UInt8(ascii: "\r") { return position + 1 == payload.count || payload[position + 1] == UInt8(ascii: "\n") }
        return byte == separator || byte == UInt8(ascii: "\n")
    }

    private mutating func skipToCellEnd() {
        while position < payload.count, payload[position] != separator, payload[position] != UInt8(ascii: "\n") { position += 1 }
    }

    private mutating func skipLineEnd() {
        while position < payload.count, payload[position] != UInt8(ascii: "\n") { position += 1 }
        position += 1
        nextLine += 1
    }

    private mutating func skipBlankLines() {
        var look = position
        while look < payload.count {
            let byte = payload[look]
            guard byte != separator, byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == 0x20 || byte == 0x09 else {
                return
            }
            look += 1
            if byte == UInt8(ascii: "\n") {
                position = look
                nextLine += 1
            }
        }
        position = look
    }
}
