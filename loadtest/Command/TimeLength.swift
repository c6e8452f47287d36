import ArgumentParser

/// A length of time as people write it: `500ms`, `30s`, `5m`, `1h`, or bare seconds.
struct TimeLength: ExpressibleByArgument, Equatable, CustomStringConvertible {
    let nanoseconds: UInt64
    let description: String

    init?(argument: String) {
        let digits = argument.prefix { $0.isNumber || $0 == "." }
        let scales = ["": 1e9, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3_600e9]
        guard let value = Double(digits), let scale = scales[String(argument.dropFirst(digits.count))], value * scale < 1e18 else {
            return nil
        }
        nanoseconds = UInt64(value * scale)
        description = argument
    }

    static func seconds(_ count: Int) -> TimeLength { TimeLength(argument: "\(count)s")! }
}
