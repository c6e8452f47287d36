/// Runs steps that do not depend on one another: a damaged partition or a full disk stops its own step only.
struct Attempts {
    /// The first error, for the caller to report.
    private(set) var failure: StoreError?
    private(set) var ranOutOfSpace = false

    /// - Throws: what stops everything: the disk's content is unknown.
    mutating func run(_ step: () throws(StoreError) -> Void) throws(StoreError) {
        do throws(StoreError) {
            try step()
        } catch {
            if error.code == .fatal { throw error }
            failure = failure ?? error
            if error.code == .diskFull { ranOutOfSpace = true }
        }
    }
}
