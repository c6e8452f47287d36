/// Cuts a failing script down to a list of steps of which none can be left out.
///
/// Source: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input": chunks of half the list go first, then
/// smaller ones, then single steps; then single readings and fields of the commits that are left.
struct Shrinker {
    /// Runs that it may cost.
    private var budget = 600
    private let failure: (Script) -> (any Error)?
    private(set) var script: Script
    private(set) var error: any Error

    /// - Parameter failure: lives through a script; nil when all went well.
    init(_ script: Script, _ error: any Error, failure: @escaping (Script) -> (any Error)?) {
        (self.script, self.error, self.failure) = (script, error, failure)
        shrinkSteps()
        shrinkCommits()
    }

    private mutating func tries(_ lines: [Script.Line]) -> Bool {
        guard budget > 0 else { return false }
        budget -= 1
        var candidate = script
        candidate.lines = lines
        guard let error = failure(candidate) else { return false }
        (script, self.error) = (candidate, error)
        return true
    }

    private mutating func shrinkSteps() {
        var length = max(1, script.lines.count / 2)
        while true {
            var (start, hasShrunk) = (0, false)
            while start < script.lines.count {
                var lines = script.lines
                lines.removeSubrange(start..<min(start + length, lines.count))
                if tries(lines) { hasShrunk = true } else { start += length }
            }
            if length == 1, !hasShrunk { return }
            length = max(1, length / 2)
            if budget == 0 { return }
        }
    }

    private mutating func shrinkCommits() {
        for index in script.lines.indices {
            guard case .commit(let drafts) = script.lines[index].step else { continue }
            var kept = drafts
            for position in drafts.indices.reversed() where kept.count > 1 {
                var fewer = kept
                fewer.remove(at: position)
                if tries(replacing: index, with: fewer) { kept = fewer }
            }
            for position in kept.indices {
                for name in kept[position].fields.keys.sorted() where kept[position].fields.count > 1 {
                    var fewer = kept
                    fewer[position].fields[name] = nil
                    if tries(replacing: index, with: fewer) { kept = fewer }
                }
            }
        }
    }

    private mutating func tries(replacing index: Int, with drafts: [Draft]) -> Bool {
        var lines = script.lines
        lines[index].step = .commit(drafts)
        return tries(lines)
    }
}
