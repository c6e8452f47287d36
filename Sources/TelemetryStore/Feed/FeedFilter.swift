import Telemetry

/// Which devices a reader of the feed is shown. The one place where a device is matched: what limits a client is added here.
package struct FeedFilter: Sendable {
    /// A device's id begins with each of these.
    private var prefixes: [[UInt8]] = []
    private var devices: Set<[UInt8]>?

    /// All devices.
    package init() {}

    /// Leaves only devices whose id begins with `prefix`, byte by byte.
    package mutating func require(prefix: String) {
        if !prefix.isEmpty { prefixes.append(Array(prefix.utf8)) }
    }

    /// Leaves only these devices; they need not be known yet.
    package mutating func require(devices ids: [String]) {
        let wanted = Set(ids.map { Array($0.utf8) })
        devices = devices?.intersection(wanted) ?? wanted
    }

    package var isEverything: Bool { prefixes.isEmpty && devices == nil }

    /// - Parameter id: UTF-8.
    func matches(_ id: UnsafeRawBufferPointer) -> Bool {
        prefixes.allSatisfy { id.starts(with: $0) } && (devices?.contains(Array(id)) ?? true)
    }
}

/// A filter with answers it gave lately: 16 KiB of them, since there may be a thousand readers.
struct FeedMatcher {
    /// Each place is shared by every so manieth device: the last one asked for has it. A power of two.
    private static let placeCount = 4_096
    private static let free = UInt32.max

    let filter: FeedFilter
    private let registry: NameRegistry
    /// Of a device's number and, lowest bit, its answer. Made when it is first needed.
    private var places: [UInt32] = []

    init(_ filter: FeedFilter, _ registry: NameRegistry) {
        (self.filter, self.registry) = (filter, registry)
    }

    mutating func matches(_ device: UInt32) -> Bool {
        if filter.isEverything { return true }
        if places.isEmpty { places = Array(repeating: FeedMatcher.free, count: FeedMatcher.placeCount) }
        let place = Int(device) & (FeedMatcher.placeCount - 1)
        // Numbers end far below 2³¹ (`Limits.devicesPerTable`).
        if places[place] != FeedMatcher.free, places[place] >> 1 == device { return places[place] & 1 == 1 }
        let answer = registry.readingNames { names in names.devices.withName(device) { filter.matches($0) } }
        places[place] = device << 1 | (answer ? 1 : 0)
        return answer
    }
}
