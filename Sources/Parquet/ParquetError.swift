/// What went wrong with a Parquet file.
package struct ParquetError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The schema cannot be written: no columns, or two of one name. Fix the caller.
        case schema
        /// A value is longer than a page can be. Fix the caller.
        case value
        /// The bytes are not a Parquet file, or a damaged one.
        case malformed
        /// A sound file, as far as it was read, with something in it that this reader does not know.
        case unsupported
        /// Sound, perhaps, but larger than the reader's limits allow.
        case tooLarge
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "\(code.rawValue): \(detail)" }
}
