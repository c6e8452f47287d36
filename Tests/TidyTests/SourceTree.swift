import Foundation

/// The repository's own files, read as text.
struct SourceTree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct File {
        /// Relative to the root: `Sources/Telemetry/Reading.swift`.
        let path: String
        let text: String

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

        /// Modules named in `import` lines, whatever their access level.
        var imports: Set<String> {
            Set(
                lines.compactMap { line in
                    let words = line.split(separator: " ")
                    guard let index = words.firstIndex(of: "import"), index < 2, words.count > index + 1 else { return nil }
                    guard words[..<index].allSatisfy({ Self.importModifiers.contains(String($0)) }) else { return nil }
                    let kinds = ["struct", "class", "enum", "func", "var", "let", "protocol", "typealias"]
                    let name = kinds.contains(String(words[index + 1])) ? words.last : words[index + 1]
                    return name?.split(separator: ".").first.map(String.init)
                })
        }

        private static let importModifiers = ["public", "package", "internal", "fileprivate", "private", "@testable", "@preconcurrency"]
    }

    /// All files below `directory` with this ending, sorted by path.
    static func files(below directory: String, ending: String = ".swift") throws -> [File] {
        let base = root.appending(path: directory).resolvingSymlinksInPath()
        let names = FileManager.default.subpaths(atPath: base.path) ?? []
        return try names.filter { $0.hasSuffix(ending) }.sorted().map { name in
            File(path: "\(directory)/\(name)", text: try String(contentsOf: base.appending(path: name), encoding: .utf8))
        }
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root.appending(path: path).path) }
}
