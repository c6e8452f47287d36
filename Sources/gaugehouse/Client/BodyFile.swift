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

    let format: Format
    private let bytes: Data

    init(path: String, format: Format?) throws(GatewayError) {
        do {
            let bytes = path == "-" ? FileHandle.standardInput.readDataToEndOfFile() : try Data(contentsOf: URL(filePath: path))
            self.init(bytes: bytes, format: format ?? Format(path: path) ?? .json)
        } catch {
            throw GatewayError("cannot read \(TextTable.shown(path)): \(error.localizedDescription)", .noInput)
        }
    }

    init(bytes: Data, format: Format) {
        self.bytes = bytes
        self.format = format
    }

    /// - Parameter limit: bytes of a piece; a longer line is a piece of its own.
    /// - Throws: for a file without a byte.
    func pieces(limit: Int = pieceByteCount) throws(GatewayError) -> [Piece] {
        guard !bytes.isEmpty else { throw GatewayError("there is nothing to write: the input is empty", .dataError) }
        // Where JSON may be cut only its parser knows, and a field of CSV may hold ends of lines.
        guard format != .json, bytes.count > limit, format != .csv || !bytes.contains(UInt8(ascii: "\"")) else {
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
            let end =
                most.count == rest.count ? rest.endIndex : (most.lastIndex(of: newline) ?? rest.firstIndex(of: newline)).map { $0 + 1 }
            let part = rest[..<(end ?? rest.endIndex)]
            pieces.append(Piece(bytes: heading + part, lineOffset: lineCount))
            lineCount += part.count { $0 == newline }
            rest = rest[part.endIndex...]
        }
        return pieces
    }
}
