import Telemetry
import Testing

@testable import Ingest

@Suite struct RedeliveryMemoryTests {
    private func time(_ microseconds: Int64) -> Timestamp { Timestamp(microseconds: microseconds) }

    private func commit(_ memory: inout RedeliveryMemory, _ messages: [(id: UInt16, hash: UInt64, times: [Int64])]) -> [UInt8]? {
        for message in messages {
            memory.append(packetID: message.id, hash: message.hash, timeCount: message.times.count)
            for microseconds in message.times { memory.append(time: time(microseconds)) }
        }
        let note = memory.note()
        memory.committed(note)
        return note
    }

    /// docs/format/commit-note.md
    @Test func theNoteHasTheDocumentedBytes() {
        var memory = RedeliveryMemory()
        let note = commit(&memory, [(0x0102, 0x1122_3344_5566_7788, [1, -1])])
        #expect(
            note == [
                1, 0, 0, 0, 1, 0, 0, 0,
                0x02, 0x01, 2, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
                1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
            ])
    }

    @Test func afterARestartTheLastTwoCommitsGetTheirTimesBackInOrder() throws {
        var before = RedeliveryMemory()
        _ = commit(&before, [(1, 10, [100])])
        _ = commit(&before, [(2, 20, [200]), (3, 30, [300, 301])])
        let note = try #require(commit(&before, [(4, 40, [400])]))
        var memory = try #require(RedeliveryMemory(note: note))
        memory.connected(isSessionPresent: true)
        // The ack of 2 arrived.
        #expect(memory.times(packetID: 3, hash: 30, count: 2) == [time(300), time(301)])
        // What is redelivered again after another loss is still known.
        memory.append(packetID: 3, hash: 30, timeCount: 2)
        memory.append(time: time(300))
        memory.append(time: time(301))
        let next = try #require(memory.note())
        memory.committed(next)
        var third = try #require(RedeliveryMemory(note: next))
        third.connected(isSessionPresent: true)
        #expect(third.times(packetID: 4, hash: 40, count: 1) == [time(400)])
        #expect(memory.times(packetID: 4, hash: 40, count: 1) == [time(400)])
        #expect(memory.times(packetID: 4, hash: 40, count: 1) == nil)
    }

    @Test func theFirstUnknownMessageEndsTheRedelivery() {
        var memory = RedeliveryMemory()
        _ = commit(&memory, [(1, 10, [100]), (2, 20, [200])])
        memory.connected(isSessionPresent: true)
        #expect(memory.times(packetID: 9, hash: 10, count: 1) == nil)
        #expect(memory.times(packetID: 1, hash: 10, count: 1) == nil)
    }

    @Test func aCommitThatFailsLeavesTheTimesForTheNextSession() {
        var memory = RedeliveryMemory()
        _ = commit(&memory, [(1, 10, [100]), (2, 20, [200])])
        memory.connected(isSessionPresent: true)
        #expect(memory.times(packetID: 1, hash: 10, count: 1) == [time(100)])
        #expect(memory.times(packetID: 7, hash: 70, count: 1) == nil)
        memory.restart()
        memory.connected(isSessionPresent: true)
        #expect(memory.times(packetID: 1, hash: 10, count: 1) == [time(100)])
        #expect(memory.times(packetID: 2, hash: 20, count: 1) == [time(200)])
    }

    @Test func anotherPayloadUnderTheSamePacketIDIsANewMessage() {
        var memory = RedeliveryMemory()
        _ = commit(&memory, [(1, 10, [100])])
        memory.connected(isSessionPresent: true)
        #expect(memory.times(packetID: 1, hash: 11, count: 1) == nil)
    }

    @Test func aNewSessionForgets() {
        var memory = RedeliveryMemory()
        _ = commit(&memory, [(1, 10, [100])])
        memory.connected(isSessionPresent: false)
        #expect(memory.times(packetID: 1, hash: 10, count: 1) == nil)
        // The store's note is replaced by an empty one, once.
        let note = memory.note()
        #expect(note == [1, 0, 0, 0, 0, 0, 0, 0])
        memory.committed(note)
        #expect(memory.note() == nil)
    }

    @Test func damagedNotesAreNoNotes() throws {
        var memory = RedeliveryMemory()
        let note = try #require(commit(&memory, [(1, 10, [100]), (2, 20, [200, 201])]))
        #expect(RedeliveryMemory(note: note) != nil)
        for count in 0..<note.count { #expect(RedeliveryMemory(note: Array(note[..<count])) == nil) }
        #expect(RedeliveryMemory(note: note + [0]) == nil)
        #expect(RedeliveryMemory(note: [2] + note[1...]) == nil)
    }

    /// Vector: FNV-1a 64 of "a\0b".
    @Test func theHashIsFNV1a() {
        let hash = Array("a".utf8).withUnsafeBytes { topic in
            Array("b".utf8).withUnsafeBytes { messageHash(topic: topic, payload: $0) }
        }
        let expected = [UInt8(ascii: "a"), 0, UInt8(ascii: "b")].reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        #expect(hash == expected)
    }
}
