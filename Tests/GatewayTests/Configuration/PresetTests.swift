import Dialects
import Foundation
import Ingest
import Testing

@testable import Gateway

/// The files below configs/mappings, which are copied into configurations.
@Suite struct PresetTests {
    private static let folder = URL(filePath: #filePath).appending(path: "../../../../configs/mappings").standardized

    private static var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".toml") }.sorted() }
    }

    @Test func eachIsASubscriptionThatWorksOfTheFormatItIsNamedFor() throws {
        for file in try Self.files {
            let text = try String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)
            let configuration = try GatewayConfiguration.parse(text, file: file)
            let subscriptions = configuration.brokers.flatMap(\.subscriptions)
            #expect(!subscriptions.isEmpty, "\(file)")
            #expect(!configuration.warnings.contains { $0.message.contains("does not read") }, "\(configuration.warnings)")
            #expect(subscriptions.contains { $0.dialect.format.rawValue + ".toml" == file }, "\(file)")
        }
    }

    @Test func eachFormatHasOne() throws {
        let formats = ConfigurationSchema.subscription.option("format").map(\.kind)
        guard case .choice(let words) = formats else {
            Issue.record("format is no choice")
            return
        }
        #expect(Set(try Self.files) == Set(words.map { $0 + ".toml" }))
    }
}
