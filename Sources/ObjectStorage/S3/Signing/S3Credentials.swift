/// Who signs. Never printed: neither descriptions nor mirrors show the secrets.
struct S3Credentials: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Session tokens of AWS have up to about 2 KiB; their length is not promised.
    static let byteCountLimit = 16 << 10

    let accessKeyID: String
    let secretAccessKey: String
    let sessionToken: String?

    /// Every part must be printable ASCII without spaces: it becomes part of a header.
    static func isPossible(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= byteCountLimit && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// `text` without what must stay secret, should a server have sent it back.
    func redact(_ text: String) -> String {
        [secretAccessKey, sessionToken].compactMap { $0 }.reduce(text) { $0.replacing($1, with: "…") }
    }

    var description: String { "S3Credentials" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
