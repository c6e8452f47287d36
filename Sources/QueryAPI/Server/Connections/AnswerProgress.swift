import NIOCore

/// How far a client has got with what it is sent.
///
/// What its machine has acknowledged tells, not what the socket took from us: a socket holds megabytes and takes more in steps of a third
/// of that, minutes apart when the client is slow.
struct AnswerProgress: Sendable {
    /// Since the connection began; 0: the system does not tell.
    let acknowledged: UInt64
    /// That wait on this side.
    let waiting: Int

    /// Of a channel on its own event loop. Never fails: a channel that is closing has got nowhere.
    static func measure(_ channel: any Channel) -> EventLoopFuture<AnswerProgress> {
        let waiting = channel.unsentByteCount
        guard let socket = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture(AnswerProgress(acknowledged: 0, waiting: waiting))
        }
        // Source: linux/tcp.h, struct tcp_info: `tcpi_bytes_acked` are its bytes 120 to 127. Glibc's own struct ends before.
        let information: EventLoopFuture<SIMD16<UInt64>> = socket.unsafeGetSocketOption(level: .tcp, name: .tcp_info)
        return information.map { AnswerProgress(acknowledged: $0[15], waiting: waiting) }
            .recover { _ in AnswerProgress(acknowledged: 0, waiting: waiting) }
    }

    func isBeyond(_ before: AnswerProgress, by byteCount: Int) -> Bool {
        guard acknowledged > 0 else { return waiting != before.waiting }
        return acknowledged >= before.acknowledged + UInt64(clamping: byteCount)
    }
}

extension Channel {
    /// What the socket has not taken yet, on the channel's own event loop.
    var unsentByteCount: Int {
        do {
            return try syncOptions?.getOption(.bufferedWritableBytes) ?? 0
        } catch {
            // A channel that is closing has no options any more, and nothing to send.
            return 0
        }
    }
}
