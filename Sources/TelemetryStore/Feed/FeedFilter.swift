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

/// A filter with the answers it gave, by device number.
struct FeedMatcher {
    /// Devices whose answer is kept; beyond it they are asked again.
    private static let limit = 1 << 16

    let filter: FeedFilter
    private let registry: NameRegistry
    private var known: [UInt32: Bool] = [:]

    init(_ filter: FeedFilter, _ registry: NameRegistry) {
        (self.filter, self.registry) = (filter, registry)
    }

    mutating func matches(_ device: UInt32) -> Bool {
        if filter.isEverything { return true }
        if let answer = known[device] { return answer }
        let answer = registry.readingNames { names in names.devices.withName(device) { filter.matches($0) } }
        if known.count >= FeedMatcher.limit { known.removeAll(keepingCapacity: true) }
        known[device] = answer
        return answer
    }
}
