import Dialects
import Foundation
import Testing

@Suite struct DocumentedExampleTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func examples() throws -> [DocumentedExample] {
        DocumentedExample.all(in: try String(contentsOf: root.appending(path: "docs/dialects.md"), encoding: .utf8))
    }

    @Test func everyExampleMakesTheReadingsThatStandBelowIt() throws {
        let examples = try Self.examples()
        #expect(examples.count >= 12)
        for example in examples {
            let decoded = example.decoded()
            #expect(decoded.rejection == nil, "\(example.testDescription)")
            let table = DocumentedExample.table(decoded.readings)
            #expect(example.table == table, "\(example.testDescription):\n\(table.joined(separator: "\n"))")
        }
    }

    @Test func everyFormatThatIsShownHasAPreset() throws {
        for format in Set(try Self.examples().map(\.options.format)) {
            let preset = Self.root.appending(path: "configs/mappings/\(format.rawValue).toml")
            let text = try String(contentsOf: preset, encoding: .utf8)
            #expect(text.contains("format = \"\(format.rawValue)\""), "\(preset.path)")
        }
    }
}
