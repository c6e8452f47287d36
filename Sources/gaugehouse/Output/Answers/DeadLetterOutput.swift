import Foundation
import Gateway
import Ingest
import Telemetry

/// What `dead-letters` prints.
enum DeadLetterOutput {
    /// Of a detail, characters shown in the table.
    private static let detailLength = 100

    static func printTable(_ reader: DeadLetterReader) throws {
        var rows: [[String]] = []
        try forEach(reader) { stored in
            let letter = stored.letter
            let size = "\(letter.payloadByteCount)" + (letter.isCut ? " (cut)" : "")
            rows.append([
                letter.time.rfc3339, letter.reason, letter.topic, size, stored.isReplayed ? "yes" : "no",
                String(letter.detail.prefix(detailLength)),
            ])
        }
        try writeOutput(TextTable(columns: ["TIME", "REASON", "TOPIC", "BYTES", "REPLAYED", "DETAIL"], rows: rows).text)
        if let note = unreadable(reader) { try writeOutput(note) }
    }

    /// The line as it stands in the file, with where it stands and whether it was replayed. Lines that are no letters are told on
    /// standard error.
    static func printJSON(_ reader: DeadLetterReader) throws {
        try forEach(reader) { stored in
            let line = String(decoding: stored.line.dropLast(), as: UTF8.self)
            try writeOutput("\(line),\"file\":\"\(stored.file)\",\"offset\":\(stored.offset),\"replayed\":\(stored.isReplayed)}")
        }
        if let note = unreadable(reader) { FileHandle.standardError.write(Data((note + "\n").utf8)) }
    }

    private static func unreadable(_ reader: DeadLetterReader) -> String? {
        reader.unreadableCount > 0 ? "\(lines(reader.unreadableCount)) no letters: cut by a crash, or damaged" : nil
    }

    static func text(_ report: DeadLetterReplay.Report, isTrial: Bool) -> String {
        var parts = [isTrial ? "\(letters(report.replayed)) to replay" : "\(letters(report.replayed)) replayed"]
        if report.replayedBefore > 0 { parts.append("\(report.replayedBefore) replayed before") }
        if report.cut > 0 { parts.append("\(report.cut) cannot be: only the beginning of the payload was kept") }
        if report.unheard > 0 { parts.append("\(report.unheard) not: nobody is subscribed to the topic") }
        if report.refused > 0 { parts.append("\(report.refused) not: the broker refused them") }
        if report.homeless > 0 { parts.append("\(report.homeless) not: no [[mqtt]] names their broker") }
        if report.unreadable > 0 { parts.append("\(lines(report.unreadable)) no letters") }
        return parts.joined(separator: "; ")
    }

    private static func letters(_ count: Int) -> String { count == 1 ? "1 letter" : "\(count) letters" }
    private static func lines(_ count: Int) -> String { count == 1 ? "1 line is" : "\(count) lines are" }

    private static func forEach(_ reader: DeadLetterReader, _ body: (StoredLetter) throws -> Void) throws {
        while let letter = try next(reader) { try body(letter) }
    }

    private static func next(_ reader: DeadLetterReader) throws(GatewayError) -> StoredLetter? {
        do throws(DeadLetterFailure) {
            return try reader.next()
        } catch {
            throw GatewayError(error.description, .inputOutput)
        }
    }
}
