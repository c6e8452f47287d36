import QueryAPI
import Telemetry
import Testing

/// Every wrong, missing, extreme parameter of `/prom`: Prometheus' form of errors, and a message that names the parameter.
@Suite struct PrometheusErrorTests {
    private func expectError(
        _ bed: TestBed, _ status: Int, _ type: String, _ message: String, _ path: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await bed.get("/prom/api/v1/" + path)
        #expect(answer.status == status, "\(path): \(answer.text)", sourceLocation: sourceLocation)
        let json = try answer.json
        #expect(json["status"]?.text == "error", sourceLocation: sourceLocation)
        #expect(json["errorType"]?.text == type, "\(answer.text)", sourceLocation: sourceLocation)
        #expect(json["error"]?.text?.contains(message) == true, "\(path): \(answer.text)", sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        ("", "missing"), ("query=", "missing"), ("query=1&query=2", "given more than once"), ("query=%zz", "percent-encoded"),
        ("query=1&time=yesterday", "\"time\": cannot parse \"yesterday\""), ("query=1&time=1e300", "\"time\""),
        ("query=1&time=0x10", "\"time\""),
        ("query=1&time=nan", "\"time\""), ("query=1&timeout=0", "\"timeout\""), ("query=1&timeout=1m1h", "\"timeout\""),
        ("query=1&timeout=99999999999999999999s", "\"timeout\""), ("query=1&timeout=101y", "\"timeout\""),
    ])
    func wrongParametersOfAnInstant(parameters: String, message: String) async throws {
        try await TestBed.run { bed in try await expectError(bed, 400, "bad_data", message, "query?" + parameters) }
    }

    @Test(arguments: [
        ("query=1&start=1&end=2", 400, "\"step\": missing"), ("query=1&start=1&end=2&step=0", 400, "\"step\""),
        ("query=1&start=1&end=2&step=-1", 400, "\"step\""), ("query=1&start=1&end=2&step=x", 400, "\"step\""),
        ("query=1&end=2&step=1", 400, "\"start\": missing"), ("query=1&start=1&step=1", 400, "\"end\": missing"),
        ("query=1&start=2&end=1&step=1", 400, "end timestamp must not be before start time"),
        ("start=1&end=2&step=1", 400, "\"query\": missing"),
        ("query=1&start=0&end=11000&step=1", 422, "11000 points"), ("query=1&start=-1e11&end=1e11&step=0.000001", 422, "11000 points"),
        ("query=temp%5B5m%5D&start=1&end=2&step=1", 400, "range vector"),
    ])
    func wrongParametersOfARange(parameters: String, status: Int, message: String) async throws {
        try await TestBed.run { bed in try await expectError(bed, status, "bad_data", message, "query_range?" + parameters) }
    }

    /// Each matcher may hold a pattern of a hundred kilobytes, each selector the names of all fields.
    @Test func matchersAndSelectorsOfOneRequestAreBounded() async throws {
        try await TestBed.run { bed in
            let matchers = String(repeating: "device%3D~%22a%2B%22,", count: 33)
            try await expectError(bed, 400, "bad_data", "at most 32 matchers", "query?query=temp%7B\(matchers)%7D")
            let selectors = String(repeating: "match%5B%5D=temp&", count: 17)
            try await expectError(bed, 400, "bad_data", "at most 16 times", "series?\(selectors)")
        }
    }

    @Test func asManyPointsAsAnAnswerHasAreAnswered() async throws {
        try await TestBed.run { bed in
            let answer = try await bed.get("/prom/api/v1/query_range?query=1&start=0&end=10999&step=1")
            #expect(try answer.json["data"]?["result"]?[0]?["values"]?.elements?.count == 11_000)
        }
    }

    @Test(arguments: [
        ("1+", "1:3: parse error: unexpected the end"), ("1 +\n+ )", "2:3"), ("temp{", "1:6"), ("temp{device}", "where =, !=, =~ or !~"),
        ("temp{device=a}", "quoted text"), ("temp{device=\"a}", "without an end"), ("temp{device=\"\\q\"}", "escape"), ("temp[5m", "\"]\""),
        ("temp[5]", "duration"), ("temp[0s]", "no duration"), ("temp[5x]", "no duration"), ("temp[200y]", "no duration"),
        ("avg_over_time(temp)", "needs a range"), ("sum(1)", "needs series"), ("sum temp", "unexpected"),
        ("{}", "does not match the empty text"),
        ("{device=~\".*\"}", "does not match the empty text"), ("temp{device=~\"a(\"}", "pattern"), ("temp{device=~\"a{2,1}\"}", "{n,m}"),
        ("temp{device=~\"(?i)a\"}", "flags"), ("temp{device=~\"a**\"}", "repetition"), ("temp{device=~\"\\\\8\"}", "not supported"),
        ("temp{device=~\"[[:alpha:]]\"}", "[:classes:]"), ("5m", "stands where"), ("temp $", "unexpected character"), ("1..2", "no number"),
        ("temp[1m]+1", "arithmetic with a range"), ("sum by (a b) (temp)", "\")\""), ("-temp[1m]", "a sign before a range"),
    ])
    func whatIsNoPromQLIsA400WithItsPlace(query: String, message: String) async throws {
        try await TestBed.run { bed in try await expectError(bed, 400, "bad_data", message, "query?query=\(query.encoded)") }
    }

    @Test(arguments: [
        "topk(3, temp)", "temp offset 5m", "temp @ 5", "temp > 5", "temp and temp", "a + b", "a * on(device) b", "irate(temp[5m])",
        "'text'",
        "temp[5m:1m]", "sum(temp)[5m:]", "absent(temp)", "histogram_quantile(0.9, temp)", "time()", "vector(1)", "(temp == 1)",
    ])
    func whatIsNotOfTheSubsetIsA422ThatSaysSo(query: String) async throws {
        try await TestBed.run { bed in
            try await expectError(bed, 422, "bad_data", "not supported; supported are", "query?query=\(query.encoded)")
        }
    }

    @Test func hostileQueriesEnd() async throws {
        try await TestBed.run { bed in
            for device in 0..<200 { try bed.commit(String(repeating: "a", count: 200) + "\(device)", ["temp": .double(1)]) }
            let deep = String(repeating: "(", count: 5_000) + "1" + String(repeating: ")", count: 5_000)
            try await expectError(bed, 400, "bad_data", "nested", "query?query=\(deep.encoded)")
            let signs = String(repeating: "-", count: 5_000) + "1"
            try await expectError(bed, 400, "bad_data", "nested", "query?query=\(signs.encoded)")
            let long = "1" + String(repeating: "+1", count: 5_000)
            try await expectError(bed, 400, "bad_data", "parts", "query?query=\(long.encoded)")
            let groups = "temp{device=~\"" + String(repeating: "(", count: 1_000) + "\"}"
            try await expectError(bed, 400, "bad_data", "groups", "query?query=\(groups.encoded)")
            for pattern in ["(((((){1000}){1000}){1000}){1000}){1000}", "((a{1000}){1000}){1000}"] {
                let answer = try await bed.get("/prom/api/v1/query?query=\("temp{device=~\"\(pattern)\"}".encoded)")
                #expect([200, 400].contains(answer.status), "\(answer.text)")
            }
            // Backtracking would need 2^200 steps.
            let answer = try await bed.get("/prom/api/v1/query?query=\("temp{device=~\"(a*)*b\"}".encoded)")
            #expect(answer.status == 200)
            let alternatives = "temp{device=~\"(" + String(repeating: "a*|", count: 800) + "b)*\"}"
            try await expectError(bed, 422, "execution", "patterns take too long", "query?query=\(alternatives.encoded)")
        }
    }

    @Test func aSeriesThatWouldComeTwiceIsAnError() async throws {
        try await TestBed.run { bed in
            try bed.commit("a", ["temp": .double(1), "hum": .double(2)])
            try await expectError(bed, 422, "execution", "same labelset", "query?query=\("-{device=\"a\"}".encoded)")
            try await expectError(bed, 422, "execution", "same labelset", "query?query=\("avg_over_time({device=\"a\"}[5m])".encoded)")
        }
    }

    @Test func tooManyValuesAreAnError() async throws {
        try await TestBed.run { bed in
            for device in 0..<100 { try bed.commit("d\(device)", ["temp": .double(1)]) }
            let times = "start=1763989000&end=1764000000&step=1"
            try await expectError(bed, 422, "bad_data", "11000 points", "query_range?query=temp&\(times)")
            try await expectError(bed, 422, "execution", "1000000 values", "query_range?query=temp&start=1764000000&end=1764010999&step=1")
        }
    }

    @Test func aStoreThatIsBusyIsA503() async throws {
        try await TestBed.run(configure: { $0.queueLimit = 0 }) { bed in
            let answer = try await bed.get("/prom/api/v1/query?query=1")
            #expect(answer.status == 503)
            #expect(try answer.json["errorType"]?.text == "unavailable")
        }
    }

    @Test func listsTellWrongParameters() async throws {
        try await TestBed.run { bed in
            try await expectError(bed, 400, "bad_data", "no match[] parameter", "series")
            try await expectError(bed, 400, "bad_data", "parse error", "series?match[]=temp%7B")
            try await expectError(bed, 400, "bad_data", "takes a selector", "series?match[]=1")
            try await expectError(bed, 400, "bad_data", "takes a selector", "labels?match[]=sum(temp)")
            try await expectError(bed, 400, "bad_data", "\"start\"", "labels?start=x")
            try await expectError(bed, 400, "bad_data", "\"end\"", "label/device/values?end=x")
            try await expectError(bed, 400, "bad_data", "\"limit\"", "labels?limit=-1")
            try await expectError(bed, 400, "bad_data", "\"limit\"", "metadata?limit=x")
        }
    }
}
