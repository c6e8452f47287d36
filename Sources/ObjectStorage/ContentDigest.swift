import Crypto

/// SHA-256 over a stream of bytes.
package struct ContentDigest {
    package static let byteCount = 32

    private var hash = SHA256()

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

    /// The 32 bytes.
    package consuming func finish() -> [UInt8] { Array(hash.finalize()) }
}
