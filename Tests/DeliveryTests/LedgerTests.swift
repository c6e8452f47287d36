import Foundation
import ObjectStorage
import Telemetry
import TelemetryStore
import Testing

@testable import Delivery

@Suite struct LedgerTests {
    private static let partition = PartitionID(window: -3)
    private static let intent = LedgerRecord.Intent(partition: partition, after: 0, through: 300, folder: "a=1/b=ü")

    private static func staged(_ sequence: UInt64) -> LedgerRecord {
        .staged(
            .init(
                partition: partition,
                object: DeliveredObject(
                    key: "k\(sequence)", sequence: sequence, rowCount: 1_000, byteCount: 70_000, sha256: (0..<32).map { $0 },
                    minTime: Timestamp(microseconds: -5), maxTime: Timestamp(microseconds: 9)),
                end: ScanPosition(bucket: 7, device: "dev", time: Timestamp(microseconds: -5))))
    }

    private static let begin = LedgerRecord.begin(.init(mode: .full, table: "t", line: [partition: 300, PartitionID(window: 5): 1]))
    private static let records: [LedgerRecord] = [
        begin, .intent(intent), staged(0), .recorded(partition), staged(1), .recorded(partition), .delivered(partition),
        .intent(.init(partition: partition, after: 300, through: 301, folder: "a=1/b=ü")), staged(2),
    ]

    /// One of each kind.
    private static let golden: [LedgerRecord] = [
        begin, .intent(intent), staged(0), .recorded(partition), .slice(partition, 2), .delivered(partition), .paused(true),
        .event(.init(time: Timestamp(microseconds: 64), kind: .failed, error: .unauthorized, detail: "é")), .restart,
    ]

    private func withLedger(_ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try body(directory.path + "/a/b.ledger")
    }

    private func open(_ path: String, task: String = "archive") throws -> Ledger {
        try Ledger(path: path, task: task, fileSystem: RealFileSystem())
    }

    private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    /// A ledger with `records`, and where each record begins.
    private func filled(_ path: String) throws -> [Int] {
        let ledger = try open(path)
        return try Self.records.map { record in
            let offset = try bytes(path).count
            try ledger.append(record)
            return offset
        }
    }

    @Test func aReopenedLedgerSaysTheSame() throws {
        try withLedger { path in
            _ = try filled(path)
            let state = try open(path).state
            #expect(state.objects[Self.partition]?.map(\.sequence) == [0, 1])
            #expect(state.deliveredThrough == [Self.partition: 300] && state.nextSequence(in: "") == 2)
            #expect(state.open[Self.partition]?.staged?.object.sequence == 2 && state.open[Self.partition]?.end == nil)
            #expect(state.totals.rowCount == 2_000 && state.lastObject == "k1")
            let again = try open(path)
            try again.append(.recorded(Self.partition))
            #expect(try open(path).state.nextSequence(in: "") == 3)
        }
    }

    @Test func bytesAreThoseOfTheFormatDocument() throws {
        try withLedger { path in
            let ledger = try open(path)
            for record in Self.golden { try ledger.append(record) }
            let hex = try bytes(path).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(hex == goldenLedger)
        }
    }

    @Test func aLedgerOfVersion1IsReadAndWrittenAnew() throws {
        try withLedger { path in
            try FileManager.default.createDirectory(
                at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
            let digits = Array(goldenLedgerVersion1)
            let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            for _ in 0..<2 {
                let state = try open(path).state
                #expect(state.begin == .init(mode: .aged, table: "", line: [:]) && state.deliveredThrough == [Self.partition: 300])
                #expect(state.nextSequence(in: "") == 1 && state.lastObject == "k0" && state.open.isEmpty)
                #expect(try self.bytes(path)[8] == 2)
            }
        }
    }

    @Test func aCopyKeepsTheNewestEventsAndAllElse() throws {
        try withLedger { path in
            let ledger = try open(path)
            try ledger.append(Self.begin)
            for number in 0..<150 {
                try ledger.append(.event(DeliveryEvent(time: Timestamp(microseconds: Int64(number)), kind: .recovered)))
                if number == 20 { try ledger.append(.paused(true)) }
            }
            let size = try bytes(path).count
            let state = try open(path).state
            #expect(state.events.map(\.time.microseconds) == (50..<150).map { $0 } && state.isPaused && state.begin != nil)
            #expect(try bytes(path).count < size * 3 / 4)
            #expect(try open(path).state.events == state.events)
        }
    }

    @Test func aRestartForgetsAllButTheNumbers() throws {
        try withLedger { path in
            _ = try filled(path)
            try open(path).append(.restart)
            let ledger = try open(path)
            #expect(ledger.state.begin == nil && ledger.state.isRestarting && ledger.state.open.isEmpty)
            #expect(ledger.state.objects.isEmpty && ledger.state.deliveredThrough.isEmpty && ledger.state.totals.objectCount == 2)
            #expect(throws: LedgerError.self) { try ledger.append(.intent(Self.intent)) }
            let again = try open(path)
            try again.append(Self.begin)
            try again.append(.intent(Self.intent))
            #expect(again.state.nextSequence(in: "") == 2 && !again.state.isRestarting)
            #expect(throws: LedgerError.self) { try again.append(Self.begin) }
        }
    }

    @Test func aTornTailIsCutAndTheRestKept() throws {
        try withLedger { path in
            let last = try #require(try filled(path).last)
            let whole = try bytes(path)
            for count in last..<whole.count {
                try Data(whole[..<count]).write(to: URL(fileURLWithPath: path))
                #expect(try open(path).state.open[Self.partition]?.staged == nil)
                #expect(try bytes(path) == Array(whole[..<last]))
            }
            // What a file system may show of a write that was not synced.
            try Data(whole[..<last] + [UInt8](repeating: 0, count: 4_096)).write(to: URL(fileURLWithPath: path))
            #expect(try open(path).state.deliveredThrough == [Self.partition: 300])
        }
    }

    @Test func damageBeforeTheLastRecordNamesFileAndOffset() throws {
        try withLedger { path in
            let offsets = try filled(path)
            let whole = try bytes(path)
            for position in 0..<whole.count {
                var damaged = whole
                damaged[position] ^= 0x40
                try Data(damaged).write(to: URL(fileURLWithPath: path))
                let begin = offsets.last { $0 <= position } ?? 0
                do {
                    _ = try open(path)
                    #expect(begin == offsets.last, "damage at \(position) went unseen")
                } catch {
                    #expect(begin != offsets.last)
                    #expect("\(error)".contains(path) && "\(error)".contains("offset \(begin)") || position < offsets[0], "\(error)")
                    #expect(try bytes(path) == damaged, "a damaged ledger is left for the operator")
                }
            }
        }
    }

    @Test func theLedgerOfAnotherTaskOrANewerVersionIsRefused() throws {
        try withLedger { path in
            _ = try filled(path)
            #expect(throws: LedgerError.self) { try open(path, task: "other") }
            var newer = try bytes(path)
            newer[8] = 3
            try Data(newer).write(to: URL(fileURLWithPath: path))
            let error = try #require(throws: LedgerError.self) { try open(path) }
            #expect(error.detail.contains("format version 3"))
        }
    }

    @Test func recordsOutOfOrderAreRefusedAndNotWritten() throws {
        try withLedger { path in
            let ledger = try open(path)
            let size = try bytes(path).count
            #expect(throws: LedgerError.self) { try ledger.append(.recorded(Self.partition)) }
            #expect(throws: LedgerError.self) { try ledger.append(.delivered(Self.partition)) }
            #expect(throws: LedgerError.self) { try ledger.append(Self.staged(0)) }
            #expect(try bytes(path).count == size)
        }
    }
}

/// Intent, staged, recorded, delivered, byte for byte, as version 1 wrote them.
private let goldenLedgerVersion1 = """
    474844454c49565201000000076172636869766590bf3d460e0000001588c285010500ac0208613d312f623dc3bc3300000004a18e190205\
    00026b30e807f0a204000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f091207036465760902000000cc60b0\
    8d03050200000089a9ddf70405
    """

/// `LedgerTests.golden`, byte for byte.
private let goldenLedger = """
    474844454c495652020000000761726368697665c0c3af150a000000e69568d8070201740205ac020a010e0000001588c285010500ac02\
    08613d312f623dc3bc340000005eff5dda060500026b30e807f0a204000102030405060708090a0b0c0d0e0f101112131415161718191a\
    1b1c1d1e1f09120703646576090002000000cc60b08d0305030000000da0b7840505020200000089a9ddf704050200000085047bf00901\
    1400000088874a610a8001050c554e415554484f52495a454402c3a9010000005641baf708
    """
