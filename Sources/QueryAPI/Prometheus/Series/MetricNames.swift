/// The metrics' names of a table's fields.
///
/// A field name that is a metric name stays as it is. In any other each character that metric names don't have becomes `_`
/// (`motor.temp` → `motor_temp`, `1st` → `_1st`), unless another field of the table would have the same name: then the field's own name
/// stands, which queries write as `{__name__="motor.temp"}`. That way works for every field.
struct MetricNames: Sendable {
    private var names: [String: String] = [:]

    init(fields: [String]) {
        var counts: [String: Int] = [:]
        for field in fields {
            let name = Self.name(of: field)
            names[field] = name
            counts[name, default: 0] += 1
        }
        for field in fields where counts[Self.name(of: field)] != 1 { names[field] = field }
    }

    subscript(field: String) -> String { names[field] ?? Self.name(of: field) }

    /// Source: https://prometheus.io/docs/concepts/data_model/, `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    private static func name(of field: String) -> String {
        var name = ""
        for scalar in field.unicodeScalars {
            if name.isEmpty, ("0"..."9").contains(scalar) { name = "_" }
            name.unicodeScalars.append(isPlain(scalar) ? scalar : "_")
        }
        return name
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", ":": true
        default: false
        }
    }
}
