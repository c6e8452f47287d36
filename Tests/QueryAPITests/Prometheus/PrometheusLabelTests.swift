import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// Names, labels, and which series a selector takes.
@Suite struct PrometheusLabelTests {
    private func fill(_ bed: TestBed) throws {
        try bed.commit("line1/press", ["temp": .double(1), "motor.temp": .double(2), "1st": .integer(3), "note": .string("x")])
        try bed.commit("line1/oven", ["temp": .double(4), "a.b": .double(5), "a-b": .double(6)])
        try bed.commit("line2/press", ["temp": .double(7)], age: .minutes(30))
        try bed.commit("café \"x\"", ["temp": .double(8)], table: 1)
    }

    private static let tables = [TableOptions(name: "telemetry"), TableOptions(name: "other")]

    private func data(_ bed: TestBed, _ path: String) async throws -> JSONValue? {
        let answer = try await bed.get("/prom/api/v1/" + path)
        #expect(answer.status == 200, "\(path): \(answer.text)")
        #expect(try answer.json["status"]?.text == "success")
        return try answer.json["data"]
    }

    private func texts(_ bed: TestBed, _ path: String) async throws -> [String] {
        try await data(bed, path)?.elements?.map { $0.text ?? "?" } ?? []
    }

    @Test func namesAndValuesOfLabels() async throws {
        try await TestBed.run(tables: Self.tables) { bed in
            #expect(try await texts(bed, "labels").isEmpty)
            try fill(bed)
            #expect(try await texts(bed, "labels") == ["__name__", "device", "table"])
            #expect(try await texts(bed, "label/table/values") == ["other", "telemetry"])
            #expect(try await texts(bed, "label/device/values") == ["café \"x\"", "line1/oven", "line1/press", "line2/press"])
            #expect(try await texts(bed, "label/__name__/values") == ["_1st", "a-b", "a.b", "motor_temp", "temp"])
            #expect(try await texts(bed, "label/job/values").isEmpty)
            let ofTwo = "label/device/values?match[]=motor_temp&match[]=" + "{__name__=\"a.b\"}".encoded
            #expect(try await texts(bed, ofTwo) == ["line1/oven", "line1/press"])
            #expect(try await texts(bed, "label/device/values?match[]=motor_temp") == ["line1/press"])
            // What has gone silent before the range is not in it.
            let start = 1_764_000_000 - 60
            #expect(try await texts(bed, "label/device/values?start=\(start)") == ["café \"x\"", "line1/oven", "line1/press"])
            #expect(try await texts(bed, "label/device/values?limit=1") == ["café \"x\""])
            #expect(try await bed.get("/prom/api/v1/labels?limit=1").json["warnings"]?[0]?.text == "results truncated due to limit")
        }
    }

    @Test func seriesByTheirLabels() async throws {
        try await TestBed.run(tables: Self.tables) { bed in
            try fill(bed)
            let answer = try await bed.get("/prom/api/v1/series?match[]=\("{device=\"line1/oven\"}".encoded)")
            #expect(
                answer.text == #"{"status":"success","data":[{"__name__":"a-b","device":"line1/oven","table":"telemetry"},"#
                    + #"{"__name__":"a.b","device":"line1/oven","table":"telemetry"},"#
                    + #"{"__name__":"temp","device":"line1/oven","table":"telemetry"}]}"# + "\n")
        }
    }

    @Test func metadataTellsWhatAFieldIsCalled() async throws {
        try await TestBed.run { bed in
            try bed.commit("a", ["motor.temp": .double(2), "temp": .double(1)])
            let data = try await data(bed, "metadata")
            #expect(data?["motor_temp"]?[0]?["help"]?.text == "Field motor.temp")
            #expect(data?["temp"]?[0]?["help"]?.text == "")
            #expect(data?["temp"]?[0]?["type"]?.text == "unknown")
            #expect(try await self.data(bed, "metadata?metric=temp")?.names == ["temp"])
            #expect(try await self.data(bed, "metadata?limit=1")?.names == ["motor_temp"])
        }
    }

    @Test func theVersionIsTold() async throws {
        try await TestBed.run { bed in
            let data = try await data(bed, "status/buildinfo")
            #expect(data?["version"]?.text == "2.42.0-gaugehouse-1.2.3")
        }
    }

    @Test(arguments: [
        ("temp", "1,4,8"), ("{__name__=\"motor.temp\"}", "2"), ("motor_temp", "2"), ("{\"motor.temp\"}", "2"), ("_1st", "3"),
        ("{__name__=\"1st\"}", "3"), ("{__name__=\"a.b\"}", "5"), ("a_b", ""), ("temp{table=\"other\"}", "8"),
        ("temp{table!=\"other\"}", "1,4"),
        ("temp{device=\"line1/press\"}", "1"), ("temp{device!=\"line1/press\"}", "4,8"), ("temp{device=~\"line1/.*\"}", "1,4"),
        ("temp{device!~\"line1/.*\"}", "8"), ("temp{device=~\"line1/press|line1/oven\"}", "1,4"),
        ("temp{device=~\"line1/(press|oven)\"}", "1,4"),
        ("temp{device=~\"line1\"}", ""), ("temp{device=~\"line[0-9]+/p.*s\"}", "1"), ("temp{device=~\"caf. .x.\"}", "8"),
        ("temp{device=~\"\\\\w+1/[^o]+\"}", "1"), ("temp{device=~\"^line1/press$\"}", "1"), ("temp{device=~\"l.{3}1/o(v|w)en?\"}", "4"),
        ("temp{device='café \"x\"'}", "8"), ("temp{device=~`caf\\S \"x\"`}", "8"), ("temp{device=\"caf\\u00e9 \\x22x\\\"\"}", "8"),
        ("temp{job=\"\"}", "1,4,8"), ("temp{job=\"x\"}", ""), ("temp{job!=\"x\"}", "1,4,8"), ("{__name__=~\"motor.*|_1st\"}", "2,3"),
        ("temp{device=~\"line1/.*\",device!~\".*oven\"}", "1"), ("{__name__!=\"temp\",device=\"line1/press\"}", "2,3"), ("nothing", ""),
        ("temp{device=\"nobody\"}", ""), ("temp{device=~\"(line1/)?press\"}", "1"), ("temp{device=~\"(?:line1/)?press\",}", "1"),
        ("temp{device=~\"line1/[\\\\D]{5}\"}", "1"), ("temp{device=~\"line1/pre(s*)\"}", "1"),
        ("temp{device=~\"line1/p{1}r{1,}e{0,1}s{2}\"}", "1"),
    ])
    func selectorsTakeTheirSeries(selector: String, values: String) async throws {
        try await TestBed.run(tables: Self.tables) { bed in
            try fill(bed)
            let result = try await data(bed, "query?query=\(selector.encoded)")?["result"]
            let found = (result?.elements ?? []).compactMap { $0["value"]?[1]?.text }.sorted()
            #expect(found.joined(separator: ",") == values)
        }
    }

    /// What windows and aggregates give must be what single samples give: steps shorter, equal and longer than the ranges, with gaps.
    @Test(arguments: [1, 2, 3]) func rangesAgreeWithTheirSamples(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        print("seed \(seed)")
        var readings: [(age: Int64, value: Double)] = []
        for age in 0..<2_000 where random.next() % 5 > 1 && !(700..<1_100).contains(age) {
            readings.append((Int64(age), Double(Int64(bitPattern: random.next() % 2_001)) - 1_000))
        }
        let samples = readings
        try await TestBed.run { bed in
            try bed.commit(
                samples.map { Reading(device: "a", time: bed.clock.now() - .seconds($0.age), fields: ["temp": .double($0.value)]) })
            for (length, step) in [(10, 60), (60, 60), (60, 7), (300, 1), (45, 30), (1, 300)] {
                for function in ["avg", "min", "max", "sum", "count", "last"] {
                    let path = "query_range?query=\(function)_over_time(temp[\(length)s])&start=1763998200&end=1764000000&step=\(step)"
                    let pairs = try await data(bed, path.replacing("[", with: "%5B").replacing("]", with: "%5D"))?["result"]?[0]?["values"]?
                        .elements
                    let answers = (pairs ?? []).map { "\($0[0]?.number ?? "?") \(Double($0[1]?.text ?? "") ?? .nan)" }
                    var expected: [String] = []
                    for time in stride(from: 1_763_998_200, through: 1_764_000_000, by: step) {
                        let age = Int64(1_764_000_000 - time)
                        let window = samples.filter { $0.age >= age && $0.age < age + Int64(length) }
                        guard let newest = window.first else { continue }
                        let sum = window.reduce(0) { $0 + $1.value }
                        let value: Double =
                            switch function {
                            case "avg": sum / Double(window.count)
                            case "min": window.map(\.value).min() ?? .nan
                            case "max": window.map(\.value).max() ?? .nan
                            case "sum": sum
                            case "count": Double(window.count)
                            default: newest.value
                            }
                        expected.append("\(time) \(value)")
                    }
                    #expect(answers == expected, "\(function) of \(length) s each \(step) s")
                }
            }
        }
    }
}

/// SplitMix64.
private struct SeededGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
