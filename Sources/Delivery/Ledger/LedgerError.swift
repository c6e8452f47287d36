import Glibc
import TelemetryStore

/// The ledger cannot be read or written; nothing is delivered until it can.
struct LedgerError: Error, CustomStringConvertible {
    /// Names the file, and the offset if the file is damaged.
    let detail: String
    let isNoSpace: Bool
    /// Where the file is damaged; nil when it is not, or not at a place.
    let offset: Int?
    /// The file is of a format that only a newer version knows.
    let isNewer: Bool

    init(_ detail: String, offset: Int? = nil, isNewer: Bool = false) {
        self.detail = detail
        self.offset = offset
        self.isNewer = isNewer
        isNoSpace = false
    }

    init(_ error: FileError) {
        detail = "ledger: \(error)"
        offset = nil
        isNewer = false
        isNoSpace = error.errno == ENOSPC || error.errno == EDQUOT
    }

    var description: String { detail }
}
