import HTTPTypes
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// `/prom/api/v1/query` and `query_range`: what they answer, over a real store.
@Suite struct PrometheusQueryTests {
    /// 2025-11-24T16:00:00Z, the test bed's now.
    private static let now = 1_764_000_000

    /// The result of a query as `labels=value`, or `labels=time:value,…`, one a series.
    private func ask(_ bed: TestBed, _ path: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> [String] {
        let answer = try await bed.get("/prom/api/v1/" + path)
        #expect(answer.status == 200, "\(path): \(answer.text)", sourceLocation: sourceLocation)
        let data = try answer.json["data"]
        return (data?["result"]?.elements ?? []).map { series in
            guard case .object(let labels)? = series["metric"] else { return series.number ?? series.text ?? "?" }
            let name = labels.map { "\($0.name)=\($0.value.text ?? "?")" }.joined(separator: ",")
            if let value = series["value"] { return "\(name) \(value[1]?.text ?? "?")" }
            let values = (series["values"]?.elements ?? []).map { pair in
                "\((Int(pair[0]?.number ?? "") ?? 0) - Self.now):\(pair[1]?.text ?? "?")"
            }
            return "\(name) \(values.joined(separator: ","))"
        }
    }

    /// Devices a and b, a value a minute for ten minutes: a's temp is 10…19 up to now, b's twice that; both have run, as booleans.
    private func fill(_ bed: TestBed) throws {
        for minute in 0..<10 {
            let age = TimeSpan.minutes(Int64(9 - minute))
            try bed.commit("a", ["temp": .double(Double(10 + minute)), "run": .boolean(minute % 2 == 0), "note": .string("x")], age: age)
            try bed.commit("b", ["temp": .integer(Int64(20 + 2 * minute))], age: age)
        }
    }

    @Test(arguments: [
        ("1+1", "2"), ("2^3^2", "512"), ("-2^2", "-4"), ("1+2*3", "7"), ("(1+2)*3", "9"), ("7%4", "3"), ("1/0", "+Inf"), ("-1/0", "-Inf"),
        ("0/0", "NaN"), ("1e3", "1000"), (".5", "0.5"), ("--1", "1"), ("Inf", "+Inf"), ("2 # two\n+1", "3"),
        ("0.1+0.2", "0.30000000000000004"),
        ("-0.0*1", "-0"), ("9007199254740993", "9007199254740992"),
    ])
    func numbersAreComputed(query: String, expected: String) async throws {
        try await TestBed.run { bed in
            let answer = try await bed.get("/prom/api/v1/query?query=\(query.encoded)&time=\(Self.now).25")
            #expect(answer.status == 200, "\(answer.text)")
            let data = try answer.json["data"]
            #expect(data?["resultType"]?.text == "scalar")
            #expect(data?["result"]?[0]?.number == "\(Self.now).25")
            #expect(data?["result"]?[1]?.text == expected)
        }
    }

    @Test func aFormIsReadLikeAQueryString() async throws {
        try await TestBed.run { bed in
            let answer = try await bed.post(
                "/prom/api/v1/query", "query=1%2B1&time=5", headers: [.contentType: "application/x-www-form-urlencoded"])
            #expect(answer.text == #"{"status":"success","data":{"resultType":"scalar","result":[5,"2"]}}"# + "\n")
        }
    }

    @Test func aSelectorGivesTheNewestSampleOfTheLastFiveMinutes() async throws {
        try await TestBed.run { bed in
            try fill(bed)
            #expect(
                try await ask(bed, "query?query=temp") == [
                    "__name__=temp,device=a,table=telemetry 19", "__name__=temp,device=b,table=telemetry 38",
                ])
            // In the past, too.
            #expect(
                try await ask(bed, "query?query=temp%7Bdevice=%22a%22%7D&time=\(Self.now - 61)") == [
                    "__name__=temp,device=a,table=telemetry 17"
                ])
            bed.clock.advance(by: .seconds(299))
            #expect(try await ask(bed, "query?query=temp").count == 2)
            bed.clock.advance(by: .seconds(1))
            #expect(try await ask(bed, "query?query=temp").isEmpty)
        }
    }

    @Test func booleansAreZeroAndOneAndTextIsNoSeries() async throws {
        try await TestBed.run { bed in
            try fill(bed)
            #expect(try await ask(bed, "query?query=run") == ["__name__=run,device=a,table=telemetry 0"])
            #expect(try await ask(bed, "query?query=note").isEmpty)
            #expect(try await ask(bed, "query?query=sum_over_time(run%5B10m%5D)") == ["device=a,table=telemetry 5"])
            #expect(try await ask(bed, "query?query=avg_over_time(run%5B4m%5D)") == ["device=a,table=telemetry 0.5"])
        }
    }

    @Test(arguments: [
        ("avg_over_time(temp[3m])", "18"), ("min_over_time(temp[3m])", "17"), ("max_over_time(temp[3m])", "19"),
        ("sum_over_time(temp[3m])", "54"), ("count_over_time(temp[3m])", "3"), ("temp*2+1", "39"), ("100-temp", "81"), ("-temp", "-19"),
        ("rate(temp[5m])", "0.016666666666666666"), ("increase(temp[5m])", "5"),
    ])
    func rangesAreFolded(query: String, expected: String) async throws {
        try await TestBed.run { bed in
            try fill(bed)
            let query = query.replacing("temp", with: "temp{device=\"a\"}")
            #expect(try await ask(bed, "query?query=\(query.encoded)") == ["device=a,table=telemetry \(expected)"])
        }
    }

    @Test func lastOverTimeKeepsTheName() async throws {
        try await TestBed.run { bed in
            try fill(bed)
            #expect(
                try await ask(bed, "query?query=\("last_over_time(temp{device='b'}[1m])".encoded)") == [
                    "__name__=temp,device=b,table=telemetry 38"
                ])
        }
    }

    @Test(arguments: [
        ("sum(temp)", [" 57"]), ("avg(temp)", [" 28.5"]), ("min(temp)", [" 19"]), ("max(temp)", [" 38"]), ("count(temp)", [" 2"]),
        ("sum by (device) (temp)", ["device=a 19", "device=b 38"]), ("sum(temp) by (table)", ["table=telemetry 57"]),
        ("sum without (device) (temp)", ["table=telemetry 57"]),
        ("max by (device) (max_over_time(temp[2m]))", ["device=a 19", "device=b 38"]),
        ("count(sum by (device) (temp))", [" 2"]), ("sum by (nothing) (temp)", [" 57"]), ("avg(temp * 2)", [" 57"]),
    ])
    func seriesAreAggregated(query: String, expected: [String]) async throws {
        try await TestBed.run { bed in
            try fill(bed)
            #expect(try await ask(bed, "query?query=\(query.encoded)") == expected)
        }
    }

    @Test func aRangeAnswersEachStep() async throws {
        try await TestBed.run { bed in
            try fill(bed)
            let times = "start=\(Self.now - 120)&end=\(Self.now)&step=60"
            #expect(
                try await ask(bed, "query_range?query=temp&\(times)") == [
                    "__name__=temp,device=a,table=telemetry -120:17,-60:18,0:19",
                    "__name__=temp,device=b,table=telemetry -120:34,-60:36,0:38",
                ])
            #expect(try await ask(bed, "query_range?query=sum(temp)&\(times)") == [" -120:51,-60:54,0:57"])
            #expect(try await ask(bed, "query_range?query=3&start=\(Self.now)&end=\(Self.now)&step=1m") == [" 0:3"])
        }
    }

    @Test func stepsWithoutSamplesAreLeftOut() async throws {
        try await TestBed.run { bed in
            try bed.commit("a", ["temp": .double(1)], age: .minutes(20))
            try bed.commit("a", ["temp": .double(2)])
            #expect(
                try await ask(bed, "query_range?query=temp&start=\(Self.now - 1500)&end=\(Self.now + 300)&step=300") == [
                    "__name__=temp,device=a,table=telemetry -1200:1,0:2"
                ])
        }
    }

    @Test func aRangeSelectorGivesItsSamples() async throws {
        try await TestBed.run { bed in
            try fill(bed)
            #expect(
                try await ask(bed, "query?query=\("temp{device='a'}[3m]".encoded)") == [
                    "__name__=temp,device=a,table=telemetry -120:17,-60:18,0:19"
                ])
        }
    }

    @Test func countersMayBeReset() async throws {
        try await TestBed.run { bed in
            // It grew by 60, 20 and 60; a window that begins 60 s before the first sample counts as much again for that time.
            for (index, value) in [100.0, 160, 20, 80].enumerated() {
                try bed.commit("a", ["pulses": .double(value)], age: .seconds(180 - 60 * Int64(index)))
            }
            let query = "increase(pulses[4m])".encoded
            #expect(try await ask(bed, "query?query=\(query)") == ["device=a,table=telemetry 186.66666666666666"])
        }
    }
}

extension String {
    /// As a value of a query string.
    var encoded: String {
        utf8.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: String(Unicode.Scalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }.joined()
    }
}
