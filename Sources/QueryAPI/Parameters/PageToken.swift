import Telemetry

/// Where a page ended, and a hash of the query it belongs to: opaque text that survives a restart.
package struct PageToken: Equatable {
    package enum Cursor: Equatable, Sendable {
        /// The last device id.
        case device(String)
        /// Number of elements already given.
        case offset(Int)
        /// The last row's time, and the range as resolved for the first page: `-1h` must not move from page to page.
        case row(Timestamp, start: Timestamp, end: Timestamp)
        /// A place among the rows of several devices, and the range as resolved for the first page.
        case series(Series, start: Timestamp, end: Timestamp)
    }

    /// Where a page of several devices ended.
    package enum Series: Equatable, Sendable {
        /// The next device of a list begins; or goes on behind a row.
        case list(Int, after: Timestamp?)
        /// The devices behind this id follow; or its rows behind one.
        case walk(String, after: Timestamp?)
    }

    /// Layout: kind (1 byte), query hash (8, little-endian), payload; base64url without padding.
    package static func encode(_ cursor: Cursor, query: QueryHash) -> String {
        var bytes: [UInt8] = []
        switch cursor {
        case .device(let id):
            bytes = [1] + littleEndian(query.value) + Array(id.utf8)
        case .offset(let count):
            bytes = [2] + littleEndian(query.value) + littleEndian(UInt64(count))
        case .row(let time, let start, let end):
            bytes = [3] + littleEndian(query.value)
            for time in [time, start, end] { bytes += littleEndian(UInt64(bitPattern: time.microseconds)) }
        case .series(let place, let start, let end):
            let (kind, after, tail): (UInt8, Timestamp?, [UInt8]) =
                switch place {
                case .list(let index, let after): (4, after, littleEndian(UInt64(index)))
                case .walk(let id, let after): (5, after, Array(id.utf8))
                }
            bytes = [kind] + littleEndian(query.value)
            // No row has the end of all times.
            for time in [after ?? .distantFuture, start, end] { bytes += littleEndian(UInt64(bitPattern: time.microseconds)) }
            bytes += tail
        }
        var text: [UInt8] = []
        text.append(base64: bytes, urlSafe: true)
        return String(decoding: text, as: UTF8.self)
    }

    /// - Returns: nil for text that is no token, or the token of another query.
    package static func decode(_ text: String, query: QueryHash) -> Cursor? {
        guard let bytes = Base64.decode(urlSafe: text), bytes.count >= 9, number(bytes[1..<9]) == query.value else { return nil }
        let payload = bytes[9...]
        switch (bytes[0], payload.count) {
        case (1, _):
            return String(validating: payload, as: UTF8.self).map { .device($0) }
        case (2, 8):
            return Int(exactly: number(payload)).map { .offset($0) }
        case (3, 24):
            let times = times(bytes)
            return .row(times[0], start: times[1], end: times[2])
        case (4, 32), (5, 24...):
            let times = times(bytes)
            let after = times[0] == .distantFuture ? nil : times[0]
            let place: Series? =
                bytes[0] == 4
                ? Int(exactly: number(bytes[33...])).map { .list($0, after: after) }
                : String(validating: bytes[33...], as: UTF8.self).map { .walk($0, after: after) }
            return place.map { .series($0, start: times[1], end: times[2]) }
        default:
            return nil
        }
    }

    /// Three times behind kind and hash.
    private static func times(_ bytes: [UInt8]) -> [Timestamp] {
        stride(from: 9, to: 33, by: 8).map { Timestamp(microseconds: Int64(bitPattern: number(bytes[$0..<($0 + 8)]))) }
    }

    private static func littleEndian(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// A 64-bit hash of everything that decides which rows a query gives and in which order. FNV-1a, stable between runs.
package struct QueryHash: Equatable, Sendable {
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    /// Adds a part; its end is marked, so that neighbours do not run together.
    package mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte) }
        add(0xFF)
    }

    private mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
}
