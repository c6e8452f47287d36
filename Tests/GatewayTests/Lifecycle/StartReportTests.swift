import Logging
import Synchronization
import Testing

@testable import Gateway

@Suite struct StartReportTests {
    private func warnings(_ toml: String, openFileLimit: Int) throws -> [String] {
        let log = Log()
        let configuration = try GatewayConfiguration.parse(toml, file: "g.toml")
        StartReport(configuration: configuration, openFileLimit: openFileLimit).log(to: Logger(label: "test") { _ in log })
        return log.warnings
    }

    @Test func morePartitionsThanOpenFilesAreWarnedOf() throws {
        let toml = """
            [[table]]
            name = "short"
            ttl = "1d"
            partition = "1m"
            [[table]]
            name = "long"
            """
        // 1440 minutes and 720 hours, and a few that are to come or to be dropped.
        #expect(try warnings(toml, openFileLimit: 20_000).isEmpty)
        let found = try warnings(toml, openFileLimit: 4_096)
        #expect(found.count == 1 && found[0].contains("2235 partitions") && found[0].contains("4096 files"), "\(found)")
    }

    @Test func theLimitIsRaisedToWhatIsAllowed() {
        let limit = OpenFiles.raiseLimit()
        #expect(limit >= 1_024 && limit == OpenFiles.raiseLimit())
    }
}

private final class Log: LogHandler, Sendable {
    private let texts = Mutex<[String]>([])
    var warnings: [String] { texts.withLock { $0 } }

    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
    func log(event: LogEvent) {
        if event.level == .warning { texts.withLock { $0.append("\(event.message)") } }
    }
}
