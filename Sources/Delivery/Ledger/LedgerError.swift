import Glibc
import TelemetryStore

/// The ledger cannot be read or written; nothing is delivered until it can.
struct LedgerError: Error, CustomStringConvertible {
    /// Names the file, and the offset if the file is damaged.
    let detail: String
    let isNoSpace: Bool

    init(_ detail: String) {
        self.detail = detail
        isNoSpace = false
    }

    init(_ error: FileError) {
        detail = "ledger: \(error)"
        isNoSpace = error.errno == ENOSPC || error.errno == EDQUOT
    }

    var description: String { detail }
}
