import ObjectStorage
import Telemetry

/// The folder of a partition's objects, with variables: `table=$table/year=$yyyy/month=$MM/day=$dd/hour=$HH`.
///
/// `$task` and `$table` are names; `$yyyy $MM $dd $HH $mm` are the start of the partition, UTC. A variable's name ends before the first
/// character that is no letter.
package struct PrefixTemplate: Sendable {
    private enum Part: Sendable {
        case text(String)
        case variable(Variable)
    }

    private enum Variable: String, CaseIterable {
        case table
        case year = "yyyy"
        case month = "MM"
        case day = "dd"
        case hour = "HH"
        case minute = "mm"
        case task
    }

    private let parts: [Part]
    private let table: String
    private let task: String

    /// - Throws: `DeliveryOptionError` on `prefix`: an unknown variable, or a result that is no folder.
    package init(_ template: String, table: String, task: String) throws(DeliveryOptionError) {
        parts = try Self.parse(template)
        self.table = table
        self.task = task
        let sample = folder(at: Timestamp(microseconds: 0))
        do throws(ObjectError) {
            _ = try ObjectName(task: task, folder: sample).key(sequence: 0)
        } catch {
            throw DeliveryOptionError("prefix", "'\(template)': \(error.detail)")
        }
    }

    /// The folder of a partition that starts at `start`.
    package func folder(at start: Timestamp) -> String {
        let date = CivilDate(start)
        return parts.map { part in
            switch part {
            case .text(let text): text
            case .variable(.table): table
            case .variable(.task): task
            case .variable(.year): padded(date.year, 4)
            case .variable(.month): padded(date.month, 2)
            case .variable(.day): padded(date.day, 2)
            case .variable(.hour): padded(date.hour, 2)
            case .variable(.minute): padded(date.minute, 2)
            }
        }.joined()
    }

    private static func parse(_ template: String) throws(DeliveryOptionError) -> [Part] {
        var parts: [Part] = []
        var rest = template[...]
        while !rest.isEmpty {
            guard rest.first == "$" else {
                let text = rest.prefix { $0 != "$" }
                parts.append(.text(String(text)))
                rest = rest.dropFirst(text.count)
                continue
            }
            let name = rest.dropFirst().prefix { $0.isASCII && $0.isLetter }
            guard let variable = Variable(rawValue: String(name)) else {
                let known = Variable.allCases.map { "$" + $0.rawValue }.joined(separator: " ")
                throw DeliveryOptionError("prefix", "'\(template)': unknown variable '$\(name)'; known are \(known)")
            }
            parts.append(.variable(variable))
            rest = rest.dropFirst(1 + name.count)
        }
        return parts
    }
}
