import Crypto

/// What a client shows: `gaugehouse_`, 256 random bits and a checksum, in hex. Only its hash is kept.
package struct TokenSecret: Sendable {
    private static let marker = "gaugehouse_"
    private static let randomByteCount = 32
    private static let checksumByteCount = 4

    package let text: String

    /// A new one.
    package static func random() -> TokenSecret {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<randomByteCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let stem = marker + hexadecimal(bytes)
        return TokenSecret(text: stem + checksum(of: stem))
    }

    /// Whether a text is whole and as it was made: tells a mistyped token from a wrong one. Nothing is let in by it.
    package static func isWellFormed(_ text: String) -> Bool {
        let length = marker.utf8.count + 2 * (randomByteCount + checksumByteCount)
        guard text.utf8.count == length, text.hasPrefix(marker) else { return false }
        let stem = String(text.dropLast(2 * checksumByteCount))
        return stem + checksum(of: stem) == text
    }

    private static func checksum(of stem: String) -> String {
        hexadecimal(SHA256.hash(data: Array(stem.utf8)).prefix(checksumByteCount))
    }

    package var digest: TokenDigest { TokenDigest(of: text) }
}

/// SHA-256 of a secret. A password would need a slow hash; of 256 random bits there is nothing to guess.
package struct TokenDigest: Sendable, Equatable {
    private let bytes: [UInt8]

    package init(of text: String) { bytes = Array(SHA256.hash(data: Array(text.utf8))) }

    /// 64 hex digits; nil for anything else.
    package init?(hexadecimal text: some StringProtocol) {
        let digits = text.utf8.map(Self.value)
        guard digits.count == 2 * SHA256.byteCount, !digits.contains(nil) else { return nil }
        bytes = stride(from: 0, to: digits.count, by: 2).map { (digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0) }
    }

    package var text: String { hexadecimal(bytes) }

    /// In a time that does not depend on how much of the two is the same.
    package static func == (a: TokenDigest, b: TokenDigest) -> Bool {
        guard a.bytes.count == b.bytes.count else { return false }
        var difference: UInt8 = 0
        for index in a.bytes.indices { difference |= a.bytes[index] ^ b.bytes[index] }
        return difference == 0
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }
}

private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
