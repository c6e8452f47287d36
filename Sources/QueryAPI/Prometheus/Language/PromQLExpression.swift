import Foundation
import Telemetry

/// What a query computes.
indirect enum PromQLExpression: Sendable {
    enum Arithmetic: String, Sendable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case remainder = "%"
        case power = "^"

        /// Prometheus' precedence, from loosest to tightest.
        var precedence: Int {
            switch self {
            case .add, .subtract: 1
            case .multiply, .divide, .remainder: 2
            case .power: 3
            }
        }

        /// By IEEE 754: a division by zero is an infinity or no number, never an error.
        func callAsFunction(_ a: Double, _ b: Double) -> Double {
            switch self {
            case .add: a + b
            case .subtract: a - b
            case .multiply: a * b
            case .divide: a / b
            case .remainder: a.truncatingRemainder(dividingBy: b)
            case .power: pow(a, b)
            }
        }
    }

    /// What is made of the samples of a range.
    enum RangeFunction: Equatable, Sendable {
        case overTime(Fold)
        /// Of a counter, a second; resets count as beginning at zero.
        case rate
        case increase

        static let names = Fold.allCases.map { "\($0.rawValue)_over_time" } + ["rate", "increase"]

        init?(name: String) {
            switch name {
            case "rate": self = .rate
            case "increase": self = .increase
            default:
                guard name.hasSuffix("_over_time"), let fold = Fold(rawValue: String(name.dropLast(10))) else { return nil }
                self = .overTime(fold)
            }
        }

        var keepsName: Bool { self == .overTime(.last) }
    }

    /// Which labels the groups of an aggregation have.
    enum Grouping: Equatable, Sendable {
        case by([String])
        case without([String])
    }

    enum Kind { case scalar, vector, range }

    case number(Double)
    /// The newest sample of each series at each step.
    case selector(SeriesSelector)
    /// All samples of a length of time.
    case range(SeriesSelector, TimeSpan)
    case call(RangeFunction, SeriesSelector, TimeSpan)
    case aggregate(Fold, Grouping, PromQLExpression)
    case negate(PromQLExpression)
    /// At least one side is a scalar.
    case arithmetic(Arithmetic, PromQLExpression, PromQLExpression)

    var kind: Kind {
        switch self {
        case .number: .scalar
        case .selector, .call, .aggregate: .vector
        case .range: .range
        case .negate(let operand): operand.kind
        case .arithmetic(_, let left, let right): left.kind == .vector || right.kind == .vector ? .vector : .scalar
        }
    }
}

/// Which series are meant.
struct SeriesSelector: Sendable {
    var matchers: [LabelMatcher]
}
