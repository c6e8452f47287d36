import Dialects

/// What the operator and the gateway set for the HTTP server.
package struct QueryOptions: Sendable {
    package var host = "127.0.0.1"
    /// 0: any free port; `QueryServer`'s `onListening` tells which.
    package var port = 8080
    /// Tokens and certificate; what a reload may change.
    package var security = ServerSecurity()
    /// Origins whose pages may use the API: `https://grafana.example.net`.
    package var corsOrigins: [String] = []
    /// Version of the program, for `/ping` and metrics.
    package var version = "dev"
    /// Directory whose file system's free space is reported.
    package var dataPath: String?

    /// Device tag, tags and measurement of lines and CSV.
    package var lines = DialectOptions(format: .lineProtocol)

    /// Bytes of a request body, before and after it is unpacked; one group of commits holds a few of them in memory.
    package var bodyByteLimit = 8 << 20
    /// Bytes of all bodies in hand together, beyond the first few of each (`BodyBudget`); more of them are answered with 503.
    package var bodyBudget = 64 << 20
    /// Bytes of a request's headers together, its target included: a few thousand device ids in a URL.
    package static let headerByteLimit = 64 << 10
    package static let headerCountLimit = 100
    /// A connection on which no whole head of a request comes for so long is closed, however its bytes trickle.
    package var idleDuration = Duration.seconds(60)
    /// In each such time a body that is being sent brings `progressByteCount`, and an answer that waits for its client is read so far.
    package var progressDuration = Duration.seconds(20)
    /// Half a kilobyte a second: the slowest modem is faster.
    package var progressByteCount = 10 << 10
    /// Of a client that has its answer and still sends.
    package var lingerDuration = Duration.seconds(5)
    /// Connections at once, those of live clients besides; beyond this number the one that has been idle longest is closed.
    package var connectionLimit = 1_024
    /// Clients of the live tail at once, beyond which the answer is 503.
    package var liveClientLimit = 1_000

    /// Threads for reads: as many scans at once keep two cores busy without starving ingest.
    package var readThreadCount = 4
    /// Threads for writes; each waits for its group commit, so company makes groups bigger.
    package var writeThreadCount = 8
    /// Requests waiting for or holding a thread of either kind, beyond which the answer is 503.
    package var queueLimit = 1_024

    package init() {}

    /// Only this machine reaches the server.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
