import Telemetry

/// The part of an intent's rows that goes into one folder.
struct FolderSlice: Sendable, Equatable {
    var folder: String
    /// Nil: all of the partition.
    var times: Range<Timestamp>?
    /// Nil: all.
    var bucket: Int?
}

/// Cuts a partition's rows by the variables of a prefix, so that each row lands in the folder that speaks of it.
///
/// A prefix as coarse as the partition needs no cut; one that names hours, of a table whose partitions are days, makes 24 slices.
enum FolderSlices {
    /// More would be folders of single rows, and as many scans of the partition.
    static let limit = 10_000

    /// The template with what is the same for all rows of the partition filled in: what the ledger keeps of an intent.
    static func settled(_ template: PrefixTemplate, start: Timestamp, end: Timestamp, buckets: Int) -> PrefixTemplate {
        let (first, last) = (CivilDate(start), CivilDate(Timestamp(microseconds: end.microseconds - 1)))
        return template.resolved { variable in
            if variable == .bucket { return buckets == 1 ? "0" : nil }
            // Hours come round: the same one on two days is not one for all rows.
            guard isSame(first, last, downTo: variable) else { return nil }
            return variable.value(first)
        }
    }

    /// The template for rows that were written at `time`, whatever their own times.
    static func settled(_ template: PrefixTemplate, writtenAt time: Timestamp) -> PrefixTemplate {
        let date = CivilDate(time)
        return template.resolved { $0.value(date) }
    }

    /// In order of times, then buckets. At least one.
    static func slices(of template: PrefixTemplate, start: Timestamp, end: Timestamp, buckets: Int) -> [FolderSlice] {
        let variables = template.variables
        let unit = PrefixTemplate.Variable.units.last(where: variables.contains)
        let times = unit.map { cells(start, end, $0) }
        let numbers = variables.contains(.bucket) ? (0..<buckets).map { $0 } : nil
        return (times?.map(Optional.some) ?? [nil]).flatMap { times in
            (numbers?.map(Optional.some) ?? [nil]).map { bucket in
                FolderSlice(folder: template.folder(at: times?.lowerBound ?? start, bucket: bucket ?? 0), times: times, bucket: bucket)
            }
        }
    }

    /// How many slices a partition of this length may have.
    static func count(_ template: PrefixTemplate, partitionLength: TimeSpan, buckets: Int) -> Int {
        let variables = template.variables
        let bucketCount = variables.contains(.bucket) ? buckets : 1
        guard let unit = PrefixTemplate.Variable.units.last(where: variables.contains) else { return bucketCount }
        return (Int(partitionLength.microseconds / unit.leastLength.microseconds) + 1) * bucketCount
    }

    private static func cells(_ start: Timestamp, _ end: Timestamp, _ unit: PrefixTemplate.Variable) -> [Range<Timestamp>] {
        var cells: [Range<Timestamp>] = []
        var from = start
        while from < end {
            let to = min(end, unit.next(after: from))
            cells.append(from..<to)
            from = to
        }
        return cells
    }

    private static func isSame(_ a: CivilDate, _ b: CivilDate, downTo variable: PrefixTemplate.Variable) -> Bool {
        let coarser = PrefixTemplate.Variable.units.prefix { $0 != variable } + [variable]
        return coarser.allSatisfy { $0.value(a) == $0.value(b) }
    }
}

extension PrefixTemplate.Variable {
    /// Of time, from coarse to fine.
    fileprivate static let units: [Self] = [.year, .month, .day, .hour, .minute]

    fileprivate var leastLength: TimeSpan {
        switch self {
        case .year: .days(365)
        case .month: .days(28)
        case .day: .days(1)
        case .hour: .hours(1)
        default: .minutes(1)
        }
    }

    /// When the unit that holds `time` is over.
    fileprivate func next(after time: Timestamp) -> Timestamp {
        let date = CivilDate(time)
        func midnight(_ year: Int, _ month: Int) -> Timestamp {
            let days = CivilDate.daysSinceEpoch(year: year, month: month, day: 1)
            return Timestamp(microseconds: Int64(days) * TimeSpan.days(1).microseconds)
        }
        switch self {
        case .year: return midnight(date.year + 1, 1)
        case .month: return date.month == 12 ? midnight(date.year + 1, 1) : midnight(date.year, date.month + 1)
        default:
            let length = leastLength.microseconds
            return Timestamp(microseconds: (time.microseconds.floorDivided(by: length) + 1) * length)
        }
    }
}
