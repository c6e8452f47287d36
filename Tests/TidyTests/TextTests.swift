import Foundation
import Testing

/// What a reader of the repository may rely on.
@Suite struct TextTests {
    private static let folders = ["Sources", "Tests", "loadtest"]

    /// Written by hand, too: the dashboard's.
    private static func ownFiles() throws -> [SourceTree.File] {
        try swiftFiles() + [".js", ".css", ".html"].flatMap { try SourceTree.files(below: "Sources/Dashboard", ending: $0) }
    }

    private static func swiftFiles() throws -> [SourceTree.File] { try folders.flatMap { try SourceTree.files(below: $0) } }

    @Test func noFileIsLongerThan400Lines() throws {
        for file in try Self.ownFiles() { #expect(file.lines.count <= 401, "\(file.path) has \(file.lines.count) lines") }
    }

    @Test func noLineIsLongerThan140Characters() throws {
        for file in try Self.ownFiles() {
            for (index, line) in file.lines.enumerated() where line.count > 140 {
                Issue.record("\(file.path):\(index + 1) has \(line.count) characters")
            }
        }
    }

    @Test func nothingIsMarkedAsUnfinished() throws {
        // Put together here, so that this file does not hold them.
        let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
        for file in try Self.ownFiles() {
            for (index, line) in file.lines.enumerated() {
                let words = line.split { !$0.isLetter }
                #expect(!words.contains { marks.contains(String($0)) }, "\(file.path):\(index + 1)")
            }
        }
    }

    /// Paths in backquotes or links: `docs/operations/backup.md`, [x](configs/demo.toml).
    @Test(arguments: ["README.md", "CONTRIBUTING.md"]) func everyFileThatIsNamedExists(document: String) throws {
        let text = try String(contentsOf: SourceTree.root.appending(path: document), encoding: .utf8)
        let path = try Regex("[`(]((?:docs|configs|systemd|scripts|Tests|Sources|Benchmarks|loadtest|\\.ci)/[A-Za-z0-9_./-]+)[`)]")
        let named = text.matches(of: path).compactMap { $0.output[1].substring.map(String.init) }
        #expect(!named.isEmpty)
        for name in named { #expect(SourceTree.exists(name), "\(document) names \(name)") }
    }

    @Test func docsLinkOnlyToWhatIsThere() throws {
        let link = try Regex("\\]\\((?!https?:|#|mailto:)([^)#]+)")
        for file in try SourceTree.files(below: "docs", ending: ".md") {
            let folder = SourceTree.root.appending(path: file.path).deletingLastPathComponent()
            for match in file.text.matches(of: link) {
                guard let target = match.output[1].substring else { continue }
                let path = folder.appending(path: String(target)).standardizedFileURL.path
                #expect(FileManager.default.fileExists(atPath: path), "\(file.path) links to \(target)")
            }
        }
    }
}
