/// MQTT topic filters, as texts.
package enum TopicFilter {
    /// Whether some topic fits both. The group of a shared filter does not matter.
    package static func overlap(_ a: String, _ b: String) -> Bool {
        let (a, b) = (levels(a), levels(b))
        // A wildcard in the first level leaves the broker's own topics out. MQTT 5.0, section 4.7.2.
        if let first = a.first, let other = b.first, isWildcard(first) != isWildcard(other) {
            if (isWildcard(first) ? other : first).hasPrefix("$") { return false }
        }
        for index in 0..<max(a.count, b.count) {
            let (ours, theirs) = (index < a.count ? a[index] : nil, index < b.count ? b[index] : nil)
            // Also stands for no level at all.
            if ours == "#" || theirs == "#" { return true }
            guard let ours, let theirs, ours == theirs || ours == "+" || theirs == "+" else { return false }
        }
        return true
    }

    /// Whether every topic that fits `narrow` fits `wide`, too. The group of a shared filter does not matter.
    static func covers(_ wide: String, _ narrow: String) -> Bool {
        let (ours, theirs) = (levels(wide), levels(narrow))
        if let first = ours.first, isWildcard(first), theirs.first?.hasPrefix("$") == true { return false }
        for index in 0..<max(ours.count, theirs.count) {
            guard index < ours.count else { return false }
            if ours[index] == "#" { return true }
            guard index < theirs.count, theirs[index] != "#", ours[index] == "+" || ours[index] == theirs[index] else { return false }
        }
        return true
    }

    private static func levels(_ filter: String) -> [Substring] {
        let levels = filter.split(separator: "/", omittingEmptySubsequences: false)
        return TopicTemplate.isShared(filter) ? Array(levels.dropFirst(2)) : levels
    }

    private static func isWildcard(_ level: Substring) -> Bool { level == "+" || level == "#" }
}
