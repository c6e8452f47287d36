/// The name of an object below a destination: folders and a file name, joined by `/`.
///
/// Nothing in a key can lead out of the destination or meet a file that is still being written: no component is empty, starts with
/// a dot, or holds a control character.
package struct ObjectKey: Hashable, Sendable, CustomStringConvertible {
    /// Bytes of one component: the limit of every common file system.
    private static let componentByteCountLimit = 255
    /// Bytes of a key: the limit of S3.
    private static let byteCountLimit = 1_024

    package let text: String

    /// - Throws: `ObjectError.invalidDestination`, naming the part at fault.
    package init(_ text: String) throws(ObjectError) {
        guard !text.isEmpty, text.utf8.count <= Self.byteCountLimit else {
            throw ObjectError(.invalidDestination, "object key of \(text.utf8.count) bytes; 1 to \(Self.byteCountLimit) are possible")
        }
        for component in text.split(separator: "/", omittingEmptySubsequences: false) {
            guard !component.isEmpty, !component.hasPrefix("."), component.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw ObjectError(.invalidDestination, "'\(component)' cannot be a part of the object key '\(text)'")
            }
            guard component.utf8.count <= Self.componentByteCountLimit else {
                throw ObjectError(
                    .invalidDestination,
                    "'\(component)' is longer than the \(Self.componentByteCountLimit) bytes of a file name: shorten the prefix")
            }
        }
        self.text = text
    }

    /// Everything before the last `/`; empty at the top.
    package var folder: String { text.lastIndex(of: "/").map { String(text[..<$0]) } ?? "" }

    package var description: String { text }
}
