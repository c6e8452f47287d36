import Glibc

/// Numbers as people read them, without a locale.
enum Text {
    static func decimal(_ value: Double, digits: Int) -> String {
        guard value.isFinite, value.magnitude < 1e9 || digits <= 3, value.magnitude < 1e15 else { return "\(value)" }
        var scale: Int64 = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int64((value.magnitude * Double(scale)).rounded())
        let whole = (value < 0 ? "-" : "") + String(scaled / scale)
        guard digits > 0 else { return whole }
        let fraction = String(scaled % scale)
        return whole + "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// `0.05`, `20`, `5k`, `1.5M`: for axes.
    static func short(_ value: Double) -> String {
        let (scaled, unit) = value.magnitude >= 1e6 ? (value / 1e6, "M") : value.magnitude >= 1e4 ? (value / 1e3, "k") : (value, "")
        var text = decimal(scaled, digits: 3)
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text + unit
    }

    /// With a thin space between groups of three digits.
    static func grouped(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "\u{2009}" }
            text.append(digit)
        }
        return text
    }
}

enum Logarithm {
    static func ten(_ value: Double) -> Double { log10(value) }
}
