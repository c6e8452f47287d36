/// 64-bit hash of a byte string, the same on every machine for ever: device → bucket follows from it. On disk: never change.
///
/// Eight little-endian bytes at a time (the tail zero-padded), `h = (h ^ word) * k; h ^= h >> 32`, closed by MurmurHash3's 64-bit
/// finalizer. Defined in docs/format/keys.md.
@inlinable public func stableHash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
    var hash = UInt64(bytes.count) &* multiplier
    var offset = 0
    while offset + 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        hash = (hash ^ word) &* multiplier
        hash ^= hash >> 32
        offset += 8
    }
    if offset < bytes.count {
        var word: UInt64 = 0
        var shift: UInt64 = 0
        while offset < bytes.count {
            word |= UInt64(bytes[offset]) << shift
            shift += 8
            offset += 1
        }
        hash = (hash ^ word) &* multiplier
        hash ^= hash >> 32
    }
    hash ^= hash >> 33
    hash = hash &* 0xFF51_AFD7_ED55_8CCD
    hash ^= hash >> 33
    hash = hash &* 0xC4CE_B9FE_1A85_EC53
    return hash ^ (hash >> 33)
}

/// Bucket of a device in a table with `count` buckets.
@inlinable public func bucket(of device: UnsafeRawBufferPointer, count: Int) -> Int {
    Int(stableHash(device) % UInt64(count))
}
