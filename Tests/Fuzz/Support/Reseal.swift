import Telemetry
import TelemetryCodec

@testable import TelemetryStore

/// Writes checksums that hold into mutated bytes, so that a fuzzer gets past them: they guard against disks, not against authors.
package enum Reseal {
    /// CRC-32C in the last four bytes, over all before.
    package static func end(_ bytes: inout [UInt8]) {
        guard bytes.count > 4 else { return }
        put(checksum(bytes[..<(bytes.count - 4)]), into: &bytes, at: bytes.count - 4)
    }

    /// Header and every record of a log file, as far as their lengths lead; sets the lengths that a reader compares, too.
    package static func log(_ bytes: inout [UInt8], storeID: [UInt8]) {
        guard bytes.count >= LogFormat.fileHeaderByteCount else { return }
        bytes.replaceSubrange(16..<32, with: storeID)
        put(UInt64(bytes.count), into: &bytes, at: 44)
        put(UInt64(0), into: &bytes, at: 52)  // no salt, as in version 1
        put(checksum(bytes[..<60]), into: &bytes, at: 60)
        var offset = LogFormat.fileHeaderByteCount
        while offset + LogFormat.recordHeaderByteCount <= bytes.count {
            let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
            let end = offset + LogFormat.recordHeaderByteCount + length
            guard length > 0, end <= bytes.count else { return }
            bytes.replaceSubrange(offset + 12..<offset + 16, with: bytes[12..<16])
            put(UInt32(0), into: &bytes, at: offset + 28)
            put(checksum(bytes[(offset + 8)..<end]), into: &bytes, at: offset + 4)
            offset += LogFormat.aligned(LogFormat.recordHeaderByteCount + length)
        }
    }

    /// Each record of a ledger, behind the header.
    package static func ledger(_ bytes: inout [UInt8], header: Int) {
        var offset = header
        while offset + 8 <= bytes.count {
            let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
            guard length > 0, offset + 8 + length <= bytes.count else { return }
            let seed = checksum(bytes[offset..<(offset + 4)])
            let sum = bytes[(offset + 8)..<(offset + 8 + length)].withUnsafeBytes { crc32c($0, seed: seed) }
            put(sum, into: &bytes, at: offset + 4)
            offset += 8 + length
        }
    }

    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.withUnsafeBytes { crc32c($0) } }

    package static func put<I: FixedWidthInteger>(_ value: I, into bytes: inout [UInt8], at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<(offset + MemoryLayout<I>.size), with: $0) }
    }
}

extension Reseal {
    /// The footer of a segment. Checksums of frames stand in compressed frames: the fuzzer gets behind those by mutating them raw.
    package static func segment(_ bytes: inout [UInt8]) {
        guard bytes.count >= SegmentFormat.footerByteCount else { return }
        put(checksum(bytes[(bytes.count - SegmentFormat.footerByteCount)..<(bytes.count - 4)]), into: &bytes, at: bytes.count - 4)
    }
}
