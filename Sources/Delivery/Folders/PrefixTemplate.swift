import ObjectStorage
import Telemetry

/// The folders of objects, with variables: `table=$table/year=$yyyy/month=$MM/day=$dd/hour=$HH`.
///
/// `$task` and `$table` are names, `$bucket` is the number of the device's bucket, `$yyyy $MM $dd $HH $mm` are a time, UTC. A variable's
/// name ends before the first character that is no letter.
package struct PrefixTemplate: Sendable, Equatable {
    enum Part: Sendable, Equatable {
        case text(String)
        case variable(Variable)
    }

    enum Variable: String, CaseIterable, Sendable {
        case table
        case year = "yyyy"
        case month = "MM"
        case day = "dd"
        case hour = "HH"
        case minute = "mm"
        case task
        case bucket
    }

    let parts: [Part]

    /// - Throws: `DeliveryOptionError` on `prefix`: an unknown variable, or a result that is no folder.
    package init(_ template: String, table: String, task: String) throws(DeliveryOptionError) {
        let names: [Variable: String] = [.table: table, .task: task]
        parts = try Self.parse(template).map { part in
            if case .variable(let variable) = part, let name = names[variable] { .text(name) } else { part }
        }
        do throws(ObjectError) {
            _ = try ObjectName(task: task, folder: folder(at: Timestamp(microseconds: 0), bucket: 0)).key(sequence: 0)
        } catch {
            throw DeliveryOptionError("prefix", "'\(template)': \(error.detail)")
        }
    }

    /// - Parameter text: of a ledger.
    /// - Throws: `DeliveryOptionError`: an unknown variable.
    init(text: String) throws(DeliveryOptionError) { parts = try Self.parse(text) }

    private init(parts: [Part]) { self.parts = parts }

    /// As it would be written in the configuration.
    package var text: String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .variable(let variable): "$\(variable.rawValue)"
            }
        }.joined()
    }

    var variables: Set<Variable> { Set(parts.compactMap { if case .variable(let variable) = $0 { variable } else { nil } }) }

    /// The folder of a row.
    func folder(at time: Timestamp, bucket: Int) -> String {
        let date = CivilDate(time)
        return resolved { $0.value(date) ?? ($0 == .bucket ? "\(bucket)" : nil) }.text
    }

    /// With the values of those variables that `value` knows.
    func resolved(_ value: (Variable) -> String?) -> PrefixTemplate {
        PrefixTemplate(
            parts: parts.map { part in
                if case .variable(let variable) = part, let text = value(variable) { .text(text) } else { part }
            })
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

extension PrefixTemplate.Variable {
    /// Nil for those that are no part of a time.
    func value(_ date: CivilDate) -> String? {
        switch self {
        case .year: padded(date.year, 4)
        case .month: padded(date.month, 2)
        case .day: padded(date.day, 2)
        case .hour: padded(date.hour, 2)
        case .minute: padded(date.minute, 2)
        case .table, .task, .bucket: nil
        }
    }
}
