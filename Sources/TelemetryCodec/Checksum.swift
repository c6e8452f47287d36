import CChecksum

/// CRC-32C of `bytes`, continued from `seed` (0 to begin). Guards every record, frame and footer on disk.
package func crc32c(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    gh_crc32c(seed, bytes.baseAddress, bytes.count)
}
