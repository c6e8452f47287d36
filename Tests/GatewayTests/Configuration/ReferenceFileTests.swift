import Foundation
import Testing

@testable import Gateway

/// Holds `configs/gaugehouse.toml` to the table of options.
@Suite struct ReferenceFileTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func theShippedFileIsTheOneTheTableOfOptionsMakes() throws {
        let shipped = try String(contentsOf: Self.root.appending(path: "configs/gaugehouse.toml"), encoding: .utf8)
        #expect(shipped == ReferenceFile.text, "gaugehouse check-config --reference > configs/gaugehouse.toml")
    }

    @Test func asShippedItMeansTheDefaultsWithABroker() throws {
        let shipped = try GatewayConfiguration.parse(ReferenceFile.text, file: "f")
        let defaults = try GatewayConfiguration.parse("[mqtt]", file: "f")
        #expect(shipped.effective.json == defaults.effective.json)
    }

    @Test func everyLineOfItMayBeUncommentedAndChangesNothing() throws {
        let assignment = try Regex("(?m)^# ([a-z_]+ = |\\[)")
        let uncommented = ReferenceFile.text.replacing(assignment) { match in String(match.output[1].substring ?? "") }
        let written = try GatewayConfiguration.parse(uncommented, file: "f")
        let defaults = try GatewayConfiguration.parse("[mqtt]\n[[delivery]]\n[delivery.s3]", file: "f")
        #expect(written.tables == defaults.tables)
        #expect(try values(written) == values(defaults))
        #expect(uncommented.split(separator: "\n").filter { $0.hasPrefix("# ") }.allSatisfy { !$0.contains(" = ") || $0.contains("--set") })
    }

    /// Without the origins, which differ by intention.
    private func values(_ configuration: GatewayConfiguration) throws -> NSDictionary {
        let root = try #require(JSONSerialization.jsonObject(with: Data(configuration.effective.json.utf8)) as? [String: Any])
        return root.filter { $0.key != "origins" } as NSDictionary
    }

    @Test func theDemoConfigurationIsValid() throws {
        _ = try GatewayConfiguration.load(file: Self.root.appending(path: "configs/demo.toml").path)
    }
}
