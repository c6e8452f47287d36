import Foundation
import Logging
import Telemetry

/// One line a message on standard error: with the time for people, with a syslog priority for the journal.
package struct ConsoleLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let isJournal: Bool
    private let clock = SystemClock()

    package init(level: Logger.Level, environment: [String: String]) {
        logLevel = level
        isJournal = environment["JOURNAL_STREAM"] != nil
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let pairs = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let tail = pairs.map { " \($0.key)=\($0.value)" }.joined()
        let head = isJournal ? "<\(event.level.syslogPriority)>" : "\(clock.now().rfc3339) \(event.level) "
        // One write a line: lines of several threads do not mix.
        FileHandle.standardError.write(Data("\(head)\(event.message)\(tail)\n".utf8))
    }
}

extension Logger.Level {
    /// syslog(3); sd-daemon(3) reads it from `<N>` at the start of a line.
    fileprivate var syslogPriority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
