import Dialects

/// What the operator and the gateway set for the HTTP server.
package struct QueryOptions: Sendable {
    package var host = "127.0.0.1"
    /// 0: any free port; `QueryServer`'s `onListening` tells which.
    package var port = 8080
    /// Version of the program, for `/ping` and metrics.
    package var version = "dev"
    /// Directory whose file system's free space is reported.
    package var dataPath: String?

    /// Device tag, tags and measurement of lines and CSV.
    package var lines = DialectOptions(format: .lineProtocol)

    /// Bytes of a request body, before and after it is unpacked; one group of commits holds a few of them in memory.
    package var bodyByteLimit = 8 << 20
    /// Bytes of a request's headers together, its target included: a few thousand device ids in a URL.
    package var headerByteLimit = 64 << 10
    /// A connection without a request for so long is closed.
    package var idleSeconds = 60
    /// Connections at once, those of live clients besides.
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
}
