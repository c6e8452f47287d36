import FoundationEssentials

/// Small files that a run reads or writes once.
enum Files {
    static func read(_ path: String) throws(LoadError) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw LoadError(.file, "cannot read \(path)")
        }
    }

    static func firstLine(of path: String) throws(LoadError) -> String {
        String(decoding: try read(path).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    }

    static func write(_ text: String, to path: String) throws(LoadError) {
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw LoadError(.file, "cannot write \(path)")
        }
    }
}
