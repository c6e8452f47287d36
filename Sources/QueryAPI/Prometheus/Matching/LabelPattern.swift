/// A regular expression that a whole text has to match, in the syntax of RE2 as far as labels need it: literals, `.`, `[…]`, `\d \w \s` and
/// their negations, groups, `|`, `* + ? {n,m}`, `^` and `$`.
///
/// All states are followed at once (Thompson), so that time is bounded by length of text × length of pattern whatever the pattern is.
/// Source: https://swtch.com/~rsc/regexp/regexp1.html, https://github.com/google/re2/wiki/Syntax.
struct LabelPattern: Sendable {
    struct Malformed: Error { let message: String }

    private enum Instruction: Sendable {
        case scalar(Unicode.Scalar)
        case set(ScalarSet)
        /// Goes on at both.
        case fork(Int, Int)
        case jump(Int)
        case start
        case end
        case accept
    }

    /// Of one pattern; `{n,m}` and nesting multiply.
    private static let instructionLimit = 5_000

    /// The only texts that match; nil when there may be others.
    let literals: [String]?
    /// What all that match begins with.
    let prefix: String
    private let literalSet: Set<String>
    private let program: [Instruction]

    init(_ text: String) throws(Malformed) {
        let node = try LabelPatternParser.parse(text)
        literals = node.literals
        prefix = node.prefix
        literalSet = Set(node.literals ?? [])
        var program: [Instruction] = []
        if node.literals == nil {
            try Self.compile(node, into: &program)
            program.append(.accept)
        }
        self.program = program
    }

    // MARK: - Compiling

    private static func compile(_ node: LabelPatternNode, into program: inout [Instruction]) throws(Malformed) {
        guard program.count < instructionLimit else { throw Malformed(message: "too many parts") }
        switch node {
        case .scalar(let scalar): program.append(.scalar(scalar))
        case .set(let set): program.append(.set(set))
        case .start: program.append(.start)
        case .end: program.append(.end)
        case .sequence(let parts): for part in parts { try compile(part, into: &program) }
        case .choice(let parts): try compileChoice(parts[...], into: &program)
        case .repeated(let part, let least, let most): try compileRepeated(part, least, most, into: &program)
        }
    }

    private static func compileChoice(_ parts: ArraySlice<LabelPatternNode>, into program: inout [Instruction]) throws(Malformed) {
        var jumps: [Int] = []
        for (place, part) in parts.enumerated() {
            let isLast = place == parts.count - 1
            let fork = program.count
            if !isLast { program.append(.fork(fork + 1, 0)) }
            try compile(part, into: &program)
            guard !isLast else { break }
            jumps.append(program.count)
            program.append(.jump(0))
            program[fork] = .fork(fork + 1, program.count)
        }
        for jump in jumps { program[jump] = .jump(program.count) }
    }

    private static func compileRepeated(
        _ part: LabelPatternNode, _ least: Int, _ most: Int?, into program: inout [Instruction]
    ) throws(Malformed) {
        for _ in 0..<least {
            let count = program.count
            try compile(part, into: &program)
            // Nothing, many times; nested it would be for ever.
            if program.count == count { break }
        }
        guard let most else {
            let fork = program.count
            program.append(.fork(fork + 1, 0))
            try compile(part, into: &program)
            program.append(.jump(fork))
            program[fork] = .fork(fork + 1, program.count)
            return
        }
        var forks: [Int] = []
        for _ in least..<max(least, most) {
            forks.append(program.count)
            program.append(.fork(program.count + 1, 0))
            try compile(part, into: &program)
        }
        for fork in forks { program[fork] = .fork(fork + 1, program.count) }
    }

    // MARK: - Matching

    func matches(_ text: String, _ budget: inout PromQLBudget) throws(PrometheusError) -> Bool {
        guard literals == nil else { return literalSet.contains(text) }
        let scalars = Array(text.unicodeScalars)
        var states = States(count: program.count)
        var next = States(count: program.count)
        follow(0, at: 0, of: scalars.count, into: &states)
        for (place, scalar) in scalars.enumerated() {
            guard !states.list.isEmpty else { return false }
            next.removeAll()
            for state in states.list where takes(state, scalar) { follow(state + 1, at: place + 1, of: scalars.count, into: &next) }
            try budget.spend(patternSteps: states.list.count + next.visitedCount)
            swap(&states, &next)
        }
        return states.list.contains { if case .accept = program[$0] { true } else { false } }
    }

    private func takes(_ state: Int, _ scalar: Unicode.Scalar) -> Bool {
        switch program[state] {
        case .scalar(let wanted): wanted == scalar
        case .set(let set): set.contains(scalar)
        default: false
        }
    }

    /// Adds the states that are reached from one without a scalar.
    private func follow(_ start: Int, at place: Int, of count: Int, into states: inout States) {
        var waiting = [start]
        while let state = waiting.popLast() {
            guard states.mark(state) else { continue }
            switch program[state] {
            case .jump(let target): waiting.append(target)
            case .fork(let first, let second): waiting += [second, first]
            case .start: if place == 0 { waiting.append(state + 1) }
            case .end: if place == count { waiting.append(state + 1) }
            case .scalar, .set, .accept: states.list.append(state)
            }
        }
    }

    /// States that a match may be in.
    private struct States {
        /// Those that wait for a scalar, or accept.
        var list: [Int] = []
        private(set) var visitedCount = 0
        private var round = 1
        private var marks: [Int]

        init(count: Int) { marks = Array(repeating: 0, count: count) }

        /// False: it was there already.
        mutating func mark(_ state: Int) -> Bool {
            guard marks[state] != round else { return false }
            marks[state] = round
            visitedCount += 1
            return true
        }

        mutating func removeAll() {
            list.removeAll(keepingCapacity: true)
            visitedCount = 0
            round += 1
        }
    }
}
