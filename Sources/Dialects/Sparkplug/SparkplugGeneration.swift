import Telemetry

/// What one birth said of its metrics: names, datatypes, aliases.
struct SparkplugGeneration {
    struct Metric: Equatable {
        var datatype: UInt8
        var alias: UInt64?
    }

    /// Of the birth, milliseconds since the epoch.
    var birthTime: UInt64
    /// Of a device: the time of its edge node's birth that was known when this one came, by a clock that may be another. Not in the note.
    var nodeBirthTime: UInt64 = 0
    /// Of an edge node: `bdSeq`, the number of the session that the birth began. Nil too where a note did not keep it.
    var session: UInt64?
    private var names = NameIndex()
    private var metrics: [Metric] = []
    private var numberOfAlias: [UInt64: Int] = [:]

    init(birthTime: UInt64, session: UInt64?) {
        self.birthTime = birthTime
        self.session = session
    }

    var count: Int { metrics.count }

    /// Memory that it takes, roughly.
    var byteCount: Int { names.byteCount + 64 * metrics.count + 64 }

    /// At most what it takes in a note: a metric's name has two bytes of length before it, and up to twelve of datatype and alias behind.
    var noteByteCount: Int { names.nameByteCount + 14 * metrics.count + 20 }

    func name(_ number: Int) -> [UInt8] { names.name(number) }
    func append(_ number: Int, to result: inout ScratchBytes) { names.append(number, to: &result) }
    func metric(_ number: Int) -> Metric { metrics[number] }

    func find(alias: UInt64) -> Int? { numberOfAlias[alias] }
    func find(name: UnsafeRawBufferPointer) -> Int? { names.find(name) }

    /// A name given twice keeps its last datatype and alias.
    mutating func add(_ name: UnsafeRawBufferPointer, _ metric: Metric) throws(Rejection) {
        guard name.count > 0, name.isValidUTF8 else { throw Rejection(.undecodable, "a birth's metric has no name, or not in UTF-8") }
        guard name.count <= Limits.fieldNameByteCount else {
            throw Rejection(.fieldNameTooLong, "metric \"\(excerpt(name))\": a name of more than \(Limits.fieldNameByteCount) bytes")
        }
        let number = names.insert(name)
        if number == metrics.count { metrics.append(metric) } else { metrics[number] = metric }
        guard let alias = metric.alias else { return }
        guard numberOfAlias.updateValue(number, forKey: alias) ?? number == number else {
            throw Rejection(.undecodable, "metric \"\(excerpt(name))\": another metric of this birth has alias \(alias), too")
        }
    }

    /// Whether the other is this birth, delivered again. A session that is not known any more is any.
    func isSame(as other: SparkplugGeneration) -> Bool {
        guard birthTime == other.birthTime, session == nil || session == other.session, metrics == other.metrics else { return false }
        return (0..<count).allSatisfy { name($0) == other.name($0) }
    }
}
