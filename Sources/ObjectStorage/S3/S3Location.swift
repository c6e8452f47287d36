/// What `s3://bucket/prefix` names.
package struct S3Location: Sendable, Equatable, CustomStringConvertible {
    package static let scheme = "s3://"

    package let bucket: String
    /// Without `/` at its ends; may be empty.
    package let prefix: String

    /// - Throws: `ObjectError.invalidDestination`, which says how to write it. A URL with credentials is not repeated.
    package init(url: String) throws(ObjectError) {
        guard !url.contains("@") else {
            throw ObjectError(.invalidDestination, "an S3 URL has no credentials in it: write s3://bucket/prefix, and name the keys apart")
        }
        guard url.hasPrefix(Self.scheme) else {
            throw ObjectError(.invalidDestination, "'\(url)' is not of the form s3://bucket/prefix")
        }
        guard !url.contains("?"), !url.contains("#") else {
            throw ObjectError(.invalidDestination, "'\(url)' has a '?' or '#'; write s3://bucket/prefix, options stand apart")
        }
        let parts = url.dropFirst(Self.scheme.count).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        bucket = String(parts[0])
        let path = parts.count > 1 ? parts[1] : ""
        prefix = String(path.hasSuffix("/") ? path.dropLast() : path)
        guard Self.isBucket(bucket) else {
            throw ObjectError(
                .invalidDestination,
                "'\(bucket)' cannot be a bucket: 3 to 63 of [a-z0-9.-], a letter or digit at both ends, no '..', not an IP address")
        }
        if !prefix.isEmpty { _ = try ObjectKey(prefix) }
    }

    package var description: String { Self.scheme + bucket + (prefix.isEmpty ? "" : "/" + prefix) }

    /// The key in the bucket.
    func path(_ name: String) -> String {
        if prefix.isEmpty { return name }
        return name.isEmpty ? prefix : "\(prefix)/\(name)"
    }

    private static func isBucket(_ name: String) -> Bool {
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        let bytes = Array(name.utf8)
        guard (3...63).contains(bytes.count), isLetterOrDigit(bytes[0]), isLetterOrDigit(bytes[bytes.count - 1]) else { return false }
        guard bytes.allSatisfy({ isLetterOrDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }) else { return false }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return !labels.contains("") && !(labels.count == 4 && labels.allSatisfy { UInt8($0) != nil })
    }
}
