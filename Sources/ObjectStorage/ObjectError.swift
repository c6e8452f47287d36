import Glibc

/// Why a destination did not do what was asked, by what the caller should do about it.
package struct ObjectError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Credentials or permissions: the operator's to fix; retry slowly.
        case unauthorized
        /// The destination cannot hold this object as it is configured: the operator's to fix; retry slowly.
        case invalidDestination
        /// No answer, or the device fails: retry.
        case unreachable
        /// Full: retry, space may come back.
        case noSpace
        /// An object stands under the key already. It was not touched.
        case alreadyExists
        /// Anything else: retry, report.
        case `internal`
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "\(code.rawValue): \(detail)" }
}

extension ObjectError {
    /// From `errno` of a file operation.
    init(_ operation: String, _ path: String, errno number: Int32 = errno) {
        let reason = strerror(number).map { String(cString: $0) } ?? "error \(number)"
        self.init(Self.code(number), "\(operation) \(path): \(reason)")
    }

    private static func code(_ number: Int32) -> Code {
        switch number {
        case EACCES, EPERM, EROFS: .unauthorized
        case ENOTDIR, EISDIR, ENOENT, ENAMETOOLONG, ELOOP, EINVAL, EXDEV: .invalidDestination
        case ENOSPC, EDQUOT, EFBIG: .noSpace
        case EIO, ENODEV, ENXIO, ESTALE, ETIMEDOUT, ENOTCONN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH: .unreachable
        case EEXIST: .alreadyExists
        default: .internal
        }
    }
}
