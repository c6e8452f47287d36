import Glibc

/// Operations of a simulated disk that fail, by their number.
struct Fault {
    struct Kind: CustomStringConvertible {
        var name = ""
        var errno: Int32
        /// Number of operations that fail, from the first one on.
        var length = 1
        /// A failing write leaves its first half.
        var keepsHalfOfWrite = false
        /// Only what takes space fails: reads and removals work on a full disk.
        var sparesReads = false
        /// A failing sync leaves pages that were never written and count as clean.
        var losesUnsynced = false

        var description: String { name }
    }

    var first: Int
    var kind: Kind

    func errno(at operation: Int, takesSpace: Bool) -> Int32? {
        guard operation >= first, operation - first < kind.length, takesSpace || !kind.sparesReads else { return nil }
        return kind.errno
    }

    /// Every way in which the test of single calls lets them fail.
    static let kinds = [
        Kind(name: "EIO", errno: EIO, losesUnsynced: true),
        Kind(name: "EIO, half written", errno: EIO, keepsHalfOfWrite: true),
        Kind(name: "EIO from then on", errno: EIO, length: .max, losesUnsynced: true),
        Kind(name: "ENOSPC", errno: ENOSPC, sparesReads: true),
        Kind(name: "ENOSPC, half written", errno: ENOSPC, keepsHalfOfWrite: true, sparesReads: true),
        Kind(name: "ENOSPC for 12 calls, half written", errno: ENOSPC, length: 12, keepsHalfOfWrite: true, sparesReads: true),
        Kind(name: "EMFILE", errno: EMFILE),
    ]
}
