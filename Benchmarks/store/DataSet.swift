import ArgumentParser

/// What the readings look like.
enum Variant: String, CaseIterable, ExpressibleByArgument {
    /// Temperature with two decimals, humidity with one, battery, rssi, a short status string; sent on the second.
    case decimal
    /// The same without the string.
    case numeric
    /// As `decimal`, each time up to 39 ms beside the second.
    case jitter
    /// Four doubles with full mantissas: a sine and noise.
    case noise

    var fields: [FieldShape] {
        let numeric: [FieldShape] = [
            .init("temperature", .decimal(digits: 2)), .init("humidity", .decimal(digits: 1)), .init("battery", .integer),
            .init("rssi", .integer),
        ]
        switch self {
        case .decimal, .jitter: return numeric + [.init("status", .status)]
        case .numeric: return numeric
        case .noise: return ["a", "b", "c", "d"].map { .init($0, .noise) }
        }
    }
}

struct FieldShape: Sendable {
    enum Kind: Sendable, Equatable { case decimal(digits: Int), integer, noise, status }

    var name: [UInt8]
    var kind: Kind

    init(_ name: String, _ kind: Kind) {
        self.name = Array(name.utf8)
        self.kind = kind
    }
}

/// Says exactly which readings a run has; the same options give the same readings in every program.
struct DataSet: ParsableArguments, Sendable {
    @Option(help: "decimal, numeric, jitter or noise.") var variant: Variant = .decimal
    @Option(help: "Devices of the fleet.") var devices = 1_000
    @Option(help: "Readings of each device.") var ticks = 3_600
    @Option(help: "Milliseconds from one reading of a device to its next.") var stepMilliseconds: Int64 = 1_000
    @Option(help: "Share of readings that come late, 0...0.5.") var late = 0.0
    @Option(help: "Ticks by which the latest reading is late.") var latestBy = 600
    @Option(help: "Seed of everything random.") var seed: UInt64 = 1

    /// 2024-01-01T00:00:00Z: past for every engine, and the start of an hour.
    static let firstMilliseconds: Int64 = 1_704_067_200_000

    var readingCount: Int { devices * ticks }
    /// Time of the first reading behind the data set.
    var endMilliseconds: Int64 { Self.firstMilliseconds + Int64(ticks) * stepMilliseconds }

    func validate() throws {
        guard devices > 0, devices <= 4_000_000, ticks > 0, stepMilliseconds > 0 else { throw ValidationError("devices, ticks or step") }
        guard (0...0.5).contains(late), latestBy > 0 else { throw ValidationError("late is 0...0.5, latest-by above 0") }
        guard variant != .jitter || stepMilliseconds > 40 else { throw ValidationError("jitter needs a step of more than 40 ms") }
    }
}
