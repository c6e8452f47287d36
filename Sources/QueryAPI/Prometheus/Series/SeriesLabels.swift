/// The labels of a series; those that an operation took away are nil.
struct SeriesLabels: Hashable, Comparable, Sendable {
    static let names = [LabelMatcher.metricName, "device", "table"]

    var name: String?
    var device: String?
    var table: String?

    /// What is left of them in a group.
    func grouped(_ grouping: PromQLExpression.Grouping) -> SeriesLabels {
        let keeps: (String) -> Bool =
            switch grouping {
            case .by(let labels): { labels.contains($0) }
            case .without(let labels): { $0 != LabelMatcher.metricName && !labels.contains($0) }
            }
        return SeriesLabels(
            name: keeps(LabelMatcher.metricName) ? name : nil, device: keeps("device") ? device : nil, table: keeps("table") ? table : nil)
    }

    var withoutName: SeriesLabels { SeriesLabels(name: nil, device: device, table: table) }

    static func < (a: SeriesLabels, b: SeriesLabels) -> Bool {
        (a.name ?? "", a.table ?? "", a.device ?? "") < (b.name ?? "", b.table ?? "", b.device ?? "")
    }
}
