import Telemetry

/// Puts readings into a batch as a decoder does: by name, field by field.
struct BatchBuilder {
    private let fields: [FieldShape]
    private let names: DeviceNames

    init(_ set: DataSet, names: DeviceNames) {
        fields = set.variant.fields
        self.names = names
    }

    /// Refills `batch` with at most `count` readings; empty when there are none left.
    func fill(_ batch: inout ReadingBatch, from fleet: inout Fleet, count: Int) {
        batch.removeAll()
        while batch.count < count, let (device, sample) = fleet.next() { append(sample, of: device, to: &batch) }
    }

    func append(_ sample: Sample, of device: Int, to batch: inout ReadingBatch) {
        let time = Timestamp(microseconds: sample.milliseconds * 1_000)
        names.withName(device) { batch.beginReading(table: 0, device: $0, time: time) }
        for (index, field) in fields.enumerated() {
            field.name.withUnsafeBytes { name in
                switch field.kind {
                case .decimal(let digits): batch.appendField(name: name, double: sample.double(index, digits: digits))
                case .integer: batch.appendField(name: name, integer: Int64(sample.scaled[index]))
                case .noise: batch.appendField(name: name, double: sample.doubles[index])
                case .status:
                    Generator.statuses[sample.status].withUnsafeBytes { batch.appendField(name: name, type: .string, bytes: $0) }
                }
            }
        }
        batch.endReading()
    }

    /// The reading as a page of the store shows it.
    func cells(of sample: Sample) -> [(name: String, value: FieldValue)] {
        fields.enumerated().map { index, field in
            let name = String(decoding: field.name, as: UTF8.self)
            switch field.kind {
            case .decimal(let digits): return (name, .double(sample.double(index, digits: digits)))
            case .integer: return (name, .integer(Int64(sample.scaled[index])))
            case .noise: return (name, .double(sample.doubles[index]))
            case .status: return (name, .string(String(decoding: Generator.statuses[sample.status], as: UTF8.self)))
            }
        }
    }
}
