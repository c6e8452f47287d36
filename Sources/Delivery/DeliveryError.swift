import ObjectStorage
import Parquet
import TelemetryStore

/// Why a delivery stopped, and how much of it.
struct DeliveryError: Error, CustomStringConvertible {
    /// What need not be tried before a pause.
    enum Scope {
        /// Only this partition: the others go on.
        case partition
        /// The destination, the ledger or the store as a whole.
        case task
        /// Nothing failed: the program is going down.
        case stopped
    }

    var code: DeliveryErrorCode
    var scope: Scope
    var detail: String

    init(_ code: DeliveryErrorCode, _ scope: Scope, _ detail: String) {
        self.code = code
        self.scope = scope
        self.detail = detail
    }

    private static let partitionCodes: Set<StoreError.Code> = [.corruption, .unusable]

    static let stopped = DeliveryError(.ok, .stopped, "")

    var description: String { "\(code.rawValue): \(detail)" }

    init(_ error: any Error) {
        switch error {
        case let error as DeliveryError: self = error
        case let error as ObjectError: self.init(error)
        case let error as StoreError: self.init(error)
        case let error as LedgerError: self.init(error.isNoSpace ? .noSpace : .internal, .task, error.detail)
        case let error as ParquetError: self.init(.internal, .partition, error.description)
        default: self.init(.internal, .task, "\(error)")
        }
    }

    private init(_ error: ObjectError) {
        switch error.code {
        case .unauthorized: self.init(.unauthorized, .task, error.detail)
        case .invalidDestination: self.init(.invalidDestination, .task, error.detail)
        case .unreachable: self.init(.unreachable, .task, error.detail)
        case .noSpace: self.init(.noSpace, .task, error.detail)
        case .alreadyExists:
            self.init(
                .invalidDestination, .partition,
                "\(error.detail); it is not in the ledger: does another gateway deliver here, or was the ledger removed?")
        case .internal: self.init(.internal, .task, error.detail)
        }
    }

    /// Damage stays in its partition, and segments that lie across what is to be read; the other codes are the store's as a whole.
    private init(_ error: StoreError) {
        self.init(
            error.code == .diskFull ? .noSpace : .internal, Self.partitionCodes.contains(error.code) ? .partition : .task,
            error.description)
    }
}
