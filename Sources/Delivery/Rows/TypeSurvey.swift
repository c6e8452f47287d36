import Telemetry
import TelemetryStore

/// What types the values of fields really have, where the segments know more than one.
struct TypeSurvey {
    /// Every integer up to 2^53 is a double without loss.
    private static let exactLimit: UInt64 = 1 << 53

    private struct Finding {
        var types: Set<FieldType> = []
        var integersAreExact = true
    }

    /// By field index; fields of one type are not looked at.
    private var findings: [Int: Finding]

    init(_ fields: [PartitionScan.Field]) {
        let mixed = fields.indices.filter { fields[$0].types.count > 1 }
        findings = Dictionary(uniqueKeysWithValues: mixed.map { ($0, Finding()) })
    }

    /// False: the rows need not be looked at.
    var isNeeded: Bool { !findings.isEmpty }

    mutating func add(_ chunk: PartitionScan.Chunk, fieldCount: Int) {
        for field in findings.keys {
            var finding = findings[field] ?? Finding()
            for index in stride(from: field, to: chunk.cells.count, by: fieldCount) {
                let cell = chunk.cells[index]
                guard let type = cell.type else { continue }
                finding.types.insert(type)
                if type == .integer, cell.integer.magnitude > Self.exactLimit { finding.integersAreExact = false }
            }
            findings[field] = finding
        }
    }

    /// Types that occur in `field`; `declared` where it was not looked at.
    func types(of field: Int, declared: [FieldType]) -> Set<FieldType> { findings[field]?.types ?? Set(declared) }

    func integersAreExact(in field: Int) -> Bool { findings[field]?.integersAreExact ?? true }
}
