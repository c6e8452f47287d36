import Foundation
import Testing

@testable import gaugehouse_load

@Suite("Ledger")
struct LedgerTests {
    private let description = RunDescription(
        run: "r", prefix: "dev,", devices: 12, connections: 2, seed: 5, payloadSize: 0, startTime: 1_764_000_000_000_000)

    private func withPath<T>(_ body: (String) throws -> T) rethrows -> T {
        let path = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    @Test("what was written is read back, a comma in the device name included")
    func roundTrip() throws {
        try withPath { path in
            let readings = (0..<100).map {
                AcknowledgedReading(device: UInt32($0 % 12), sequence: UInt32($0), time: 1_764_000_000_000_000 + Int64($0))
            }
            let trailer = Ledger.Trailer(sent: [60, 40], endTime: 1_764_000_000_000_200)
            do {
                let writer = try LedgerWriter(path: path, description: description)
                var lines: [UInt8] = []
                for reading in readings { LedgerWriter.appendLine(reading, naming: description.naming, to: &lines) }
                try writer.append(lines: lines)
                try writer.append(trailer: trailer)
            }
            let ledger = try Ledger.read(path: path)
            #expect(ledger.description == description)
            #expect(ledger.acknowledged == readings)
            #expect(ledger.trailer == trailer)
        }
    }

    @Test("a line cut by a crash does not count, and the trailer is then unknown")
    func cutLine() throws {
        try withPath { path in
            let writer = try LedgerWriter(path: path, description: description)
            try writer.append(lines: Array("dev,01,1764000000000001,0\ndev,02,17640000000".utf8))
            let ledger = try Ledger.read(path: path)
            #expect(ledger.acknowledged == [AcknowledgedReading(device: 1, sequence: 0, time: 1_764_000_000_000_001)])
            #expect(ledger.trailer == nil)
        }
    }

    @Test("an existing file is not overwritten")
    func exclusive() throws {
        try withPath { path in
            _ = try LedgerWriter(path: path, description: description)
            let error = #expect(throws: LoadError.self) { _ = try LedgerWriter(path: path, description: description) }
            #expect(error?.code == .file)
        }
    }

    @Test("what is no ledger is named with its line", arguments: ["", "dev,01,1,0\n", "# {}\n", "hello\n"])
    func noLedger(text: String) {
        let error = #expect(throws: LoadError.self) { try Ledger.parse(Array(text.utf8), name: "x") }
        #expect(error?.code == .file)
    }
}
