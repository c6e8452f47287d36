/// `include` and `exclude` of a subscription. Patterns are compared byte by byte; `*` stands for any run of bytes, dots included.
struct FieldFilter: Sendable {
    private let include: [[UInt8]]
    private let exclude: [[UInt8]]
    /// No name needs to be looked at.
    let takesAll: Bool

    init(include: [String] = [], exclude: [String] = []) {
        self.include = include.map { Array($0.utf8) }
        self.exclude = exclude.map { Array($0.utf8) }
        takesAll = include.isEmpty && exclude.isEmpty
    }

    func takes(_ name: UnsafeRawBufferPointer) -> Bool {
        if takesAll { return true }
        if exclude.contains(where: { Self.matches(name, $0) }) { return false }
        return include.isEmpty || include.contains { Self.matches(name, $0) }
    }

    /// Goes back to the last star only: linear for one star, at worst the product of both lengths.
    private static func matches(_ name: UnsafeRawBufferPointer, _ pattern: [UInt8]) -> Bool {
        let star = UInt8(ascii: "*")
        var (position, next) = (0, 0)
        var retry: (position: Int, next: Int)?
        while position < name.count {
            if next < pattern.count, pattern[next] == star {
                next += 1
                retry = (position, next)
            } else if next < pattern.count, pattern[next] == name[position] {
                (position, next) = (position + 1, next + 1)
            } else if let (last, after) = retry {
                retry = (last + 1, after)
                (position, next) = (last + 1, after)
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == star }
    }
}
