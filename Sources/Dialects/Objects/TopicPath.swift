import Telemetry

/// A topic, or a part of one, as levels between slashes.
struct TopicPath {
    let bytes: UnsafeRawBufferPointer

    private static let slash = UInt8(ascii: "/")

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private init(_ slice: Slice<UnsafeRawBufferPointer>) { bytes = UnsafeRawBufferPointer(rebasing: slice) }

    var isEmpty: Bool { bytes.count == 0 }

    var first: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.firstIndex(of: Self.slash) ?? bytes.count)]) }
    var last: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[(bytes.lastIndex(of: Self.slash).map { $0 + 1 } ?? 0)...])
    }

    /// Without the first level; empty when there is one level.
    var rest: TopicPath { TopicPath(bytes[(bytes.firstIndex(of: Self.slash).map { $0 + 1 } ?? bytes.count)...]) }
    /// Without the last level; empty when there is one level.
    var parent: TopicPath { TopicPath(bytes[..<(bytes.lastIndex(of: Self.slash) ?? 0)]) }

    func hasLevel(_ name: StaticString) -> Bool {
        var path = self
        while !path.isEmpty {
            if path.first == name { return true }
            path = path.rest
        }
        return false
    }

    /// What follows the first place where these whole levels stand; nil when they do not.
    func rest(behind levels: UnsafeRawBufferPointer) -> TopicPath? {
        var path = self
        while !path.isEmpty {
            let end = levels.count
            if path.bytes.count == end || (path.bytes.count > end && path.bytes[end] == Self.slash),
                path.bytes[..<end].elementsEqual(levels)
            {
                return TopicPath(path.bytes[min(end + 1, path.bytes.count)...])
            }
            path = path.rest
        }
        return nil
    }

    /// The levels before `other`, which is a rest of this path.
    func prefix(before other: TopicPath) -> TopicPath { TopicPath(bytes[..<max(0, bytes.count - other.bytes.count - 1)]) }
}
