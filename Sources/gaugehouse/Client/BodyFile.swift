import ArgumentParser
import Foundation
import Gateway

/// What `write` sends: a file, cut at ends of lines into bodies that the gateway takes.
struct BodyFile {
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case json, ndjson, csv, line

        var contentType: String {
            switch self {
            case .json: "application/json"
            case .ndjson: "application/x-ndjson"
            case .csv: "text/csv"
            case .line: "text/plain"
            }
        }

        /// By the ending of a file's name.
        init?(path: String) {
            switch (path as NSString).pathExtension.lowercased() {
            case "json": self = .json
            case "ndjson", "jsonl": self = .ndjson
            case "csv": self = .csv
            case "lp", "line", "influx": self = .line
            default: return nil
            }
        }
    }

    struct Piece: Equatable {
        let bytes: Data
        /// Lines of the file before the piece's first one, less those that the piece repeats.
        let lineOffset: Int
    }

    /// Half of what a gateway takes at its defaults.
    static let pieceByteCount = 4 << 20
    /// The gateway takes 65 536 readings at once.
    static let pieceLineCount = 50_000

    let format: Format
    private let bytes: Data

    init(path: String, format: Format?) throws(GatewayError) {
        do {
            // Whatever can be read: also what `<(…)` of a shell is.
            let handle = path == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: path))
            let bytes = try handle.readToEnd() ?? Data()
            self.init(bytes: bytes, format: format ?? Format(path: path) ?? .json)
        } catch {
            throw GatewayError("cannot read \(TextTable.shown(path)): \(error.localizedDescription)", .noInput)
        }
    }

    init(bytes: Data, format: Format) {
        self.bytes = bytes
        self.format = format
    }

    /// - Parameters:
    ///   - limit: bytes of a piece; a longer line is a piece of its own.
    ///   - lineLimit: lines of a piece.
    /// - Throws: for a file without a byte.
    func pieces(limit: Int = pieceByteCount, lineLimit: Int = pieceLineCount) throws(GatewayError) -> [Piece] {
        guard !bytes.isEmpty else { throw GatewayError("there is nothing to write: the input is empty", .dataError) }
        // Where JSON may be cut only its parser knows, and a field of CSV may hold ends of lines.
        guard format != .json, format != .csv || !bytes.contains(UInt8(ascii: "\"")) else {
            return [Piece(bytes: bytes, lineOffset: 0)]
        }
        let newline = UInt8(ascii: "\n")
        var rest = bytes[...]
        var heading = Data()
        if format == .csv {
            heading = rest.firstIndex(of: newline).map { Data(rest[...$0]) } ?? Data()
            rest = rest.dropFirst(heading.count)
        }
        var pieces: [Piece] = []
        var lineCount = 0
        while !rest.isEmpty {
            let most = rest.prefix(max(1, limit - heading.count))
            let lines = Self.lines(of: most, limit: lineLimit)
            let isLast = lines.end == rest.endIndex || most.count == rest.count && lines.count < lineLimit
            let end = isLast ? rest.endIndex : lines.end ?? rest.firstIndex(of: newline).map { $0 + 1 } ?? rest.endIndex
            let part = rest[..<end]
            pieces.append(Piece(bytes: heading + part, lineOffset: lineCount))
            lineCount += max(lines.count, 1)
            rest = rest[part.endIndex...]
        }
        return pieces
    }

    /// The first whole lines, `limit` at most: how many, and where the last one ends; nil: there is none.
    private static func lines(of bytes: Data, limit: Int) -> (count: Int, end: Data.Index?) {
        bytes.withUnsafeBytes { raw in
            var (count, end) = (0, 0)
            while count < limit, end < raw.count, let newline = raw[end...].firstIndex(of: UInt8(ascii: "\n")) {
                (count, end) = (count + 1, newline + 1)
            }
            return (count, count > 0 ? bytes.startIndex + end : nil)
        }
    }
}
