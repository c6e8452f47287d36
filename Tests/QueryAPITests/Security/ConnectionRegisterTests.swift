import Foundation
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import QueryAPI

/// Who is sent away for a newcomer.
@Suite struct ConnectionRegisterTests {
    private func connected() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    @Test func theOneThatHasBeenIdleLongestGoes() throws {
        let register = ConnectionRegister(limit: 3)
        let channels = try (0..<5).map { _ in try connected() }
        let entries = try channels[..<3].map { try #require(register.admit($0)) }
        #expect(entries[0].beginRequest() && entries[1].beginRequest())
        entries[1].endRequest()
        #expect(register.admit(channels[3]) != nil)
        #expect(channels.map(\.isActive) == [true, true, false, true, true])
        #expect(!entries[2].beginRequest())
        #expect(register.admit(channels[4]) != nil)
        #expect(channels.map(\.isActive) == [true, false, false, true, true])
    }

    @Test func whenAllAreAtWorkTheNewcomerIsTurnedAway() throws {
        let register = ConnectionRegister(limit: 2)
        let channels = try (0..<3).map { _ in try connected() }
        let entries = try channels[..<2].map { try #require(register.admit($0)) }
        #expect(entries.allSatisfy { $0.beginRequest() })
        #expect(register.admit(channels[2]) == nil)
        entries[1].endRequest()
        #expect(register.admit(channels[2]) != nil)
        #expect(channels.map(\.isActive) == [true, false, true])
    }

    /// A request that begins while a newcomer looks for a place either keeps its connection or is not begun.
    @Test func noRequestInHandIsCutOff() throws {
        for _ in 0..<2_000 {
            let register = ConnectionRegister(limit: 16)
            let first = try connected()
            let entry = try #require(register.admit(first))
            // At work: only the first can be sent away.
            for _ in 1..<16 { #expect(try #require(register.admit(try connected())).beginRequest()) }
            let newcomer = try connected()
            let begun = DispatchSemaphore(value: 0)
            let isReady = Atomic(false)
            let hasBegun = Atomic(false)
            Thread.detachNewThread {
                isReady.store(true, ordering: .releasing)
                hasBegun.store(entry.beginRequest(), ordering: .releasing)
                begun.signal()
            }
            while !isReady.load(ordering: .acquiring) {}
            let admitted = register.admit(newcomer)
            begun.wait()
            #expect(first.isActive == hasBegun.load(ordering: .acquiring))
            #expect((admitted == nil) == first.isActive)
        }
    }
}
