import ArgumentParser
import Delivery
import Foundation
import Gateway
import TelemetryStore

struct Dump: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is in one file of a store: a log, segment, catalogue, checkpoint, partition state or delivery ledger.",
        discussion: "A damaged file is shown up to the damage (exit code 65). Each line: byte offset, kind of entry, entry.")

    @Argument(help: "The file; recognised by its first bytes.")
    var file: String

    @Flag(help: "Show the rows too.")
    var rows = false

    @Option(help: "Lines at most.")
    var limit = Int.max

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
    }

    func run() async throws {
        try await reporting {
            do {
                if LedgerInspection.isLedger(file) { return try LedgerInspection.dump(file, limit: limit, show) }
                var options = FileDump.Options()
                (options.showsRows, options.limit) = (rows, limit)
                try FileDump(path: file, options: options).run(show)
            } catch let error as StoreError {
                throw GatewayError("cannot show all of it", error)
            }
        }
    }

    private func show(_ entry: FileDump.Entry) {
        let offset = String(entry.offset)
        let kind = entry.kind.padding(toLength: max(10, entry.kind.count + 1), withPad: " ", startingAt: 0)
        print(String(repeating: " ", count: max(0, 10 - offset.count)) + offset, kind + entry.text)
    }
}
