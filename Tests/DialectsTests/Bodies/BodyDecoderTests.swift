import Dialects
import Telemetry
import Testing

/// Bodies of HTTP writes: the good readings stay, the bad ones are told with their place.
@Suite struct BodyDecoderTests {
    private func decode(_ body: [UInt8], _ format: BodyFormat, batch: inout ReadingBatch) throws -> BodyContents {
        try body.withUnsafeBytes { bytes in
            try BodyDecoder.decode(bytes, format: format, options: DialectOptions(), table: 0, into: &batch)
        }
    }

    @Test(
        arguments: [
            (
                .lineProtocol, "m,device=a v=1\n\n# c\nbad\nm,device=b v=2\nm,host=h v=1", ["a", "b"], ["0/1", "2/5"],
                ["1/4 undecodable", "3/6 no-device"]
            ),
            (
                .csv, "device,v\na,1\n\n,2\nb,\"3\n\"\nc,4,5\nd", ["a", "b"], ["0/2", "2/5"],
                ["1/4 no-device", "3/7 undecodable", "4/8 undecodable"]
            ),
            (
                .jsonLines, "{\"device\":\"a\",\"fields\":{\"v\":1}}\n{\n\n[]\n{\"device\":\"b\",\"fields\":{\"v\":1}}", ["a", "b"],
                ["0/1", "3/5"],
                ["1/2 undecodable", "2/4 undecodable"]
            ),
            (
                .json, "[{\"device\":\"a\",\"fields\":{\"v\":1}},{},{\"device\":\"b\",\"fields\":{\"v\":1}}]", ["a", "b"], ["0/-", "2/-"],
                ["1/- undecodable"]
            ),
        ] as [(BodyFormat, String, [String], [String], [String])])
    func everyRowHasItsPlace(_ format: BodyFormat, _ text: String, _ devices: [String], _ places: [String], _ bad: [String]) throws {
        var batch = ReadingBatch()
        let body = try decode(Array(text.utf8), format, batch: &batch)
        func name(_ place: RowPlace) -> String { "\(place.index)/\(place.line.map { "\($0)" } ?? "-")" }
        #expect((0..<batch.count).map { batch.reading(at: $0).device } == devices)
        #expect(body.places.map(name) == places)
        #expect(body.badRows.map { "\(name($0.place)) \($0.rejection.reason.rawValue)" } == bad)
        #expect(body.rejected.values.reduce(0, +) == bad.count)
    }

    @Test(arguments: [BodyFormat.lineProtocol, .csv, .jsonLines, .json])
    func ofManyBadRowsAllAreCountedAndFiftyKept(_ format: BodyFormat) throws {
        let row = format == .json ? "{}," : "x\n"
        let heading = format == .json ? "[" : format == .csv ? "device,v\n" : ""
        let text = heading + String(repeating: row, count: 60_000).dropLast() + (format == .json ? "]" : "")
        var batch = ReadingBatch()
        let body = try decode(Array(text.utf8), format, batch: &batch)
        #expect(body.rejected == [.undecodable: 60_000])
        #expect(body.badRows.map(\.place.index) == Array(0..<50))
        #expect(batch.isEmpty)
    }

    /// Cut anywhere, a body of rows still gives the rows before the cut.
    @Test(arguments: [BodyFormat.lineProtocol, .csv, .jsonLines], [UInt64(1), 2])
    func mutatedBodiesNeverTrapAndKeepTheirCounts(_ format: BodyFormat, _ seed: UInt64) {
        var random = SplitMix64(state: seed)
        let row: [BodyFormat: String] = [
            .lineProtocol: "m,device=d,t=x v=1i,s=\"a b\" 1764000000000000000\n", .csv: "d,1764000000,1.5,\"a \"\"b\"\"\"\r\n",
            .jsonLines: "{\"device\":\"d\",\"time\":1764000000000,\"fields\":{\"v\":1}}\n",
        ]
        let good = Array(((format == .csv ? "device,time,v,s\n" : "") + String(repeating: row[format] ?? "", count: 8)).utf8)
        for round in 0..<1_000 {
            var body = good
            for _ in 0..<Int.random(in: 1...6, using: &random) where !body.isEmpty {
                let position = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: body[position] = UInt8.random(in: 0...255, using: &random)
                case 1: body.remove(at: position)
                case 2: body.insert([0x22, 0x0A, 0x5C, 0x2C, 0x3D, 0x20].randomElement(using: &random) ?? 0, at: position)
                default: body.removeLast(Int.random(in: 0..<body.count, using: &random) / 8)
                }
            }
            var batch = ReadingBatch()
            guard let decoded = try? decode(body, format, batch: &batch) else {
                #expect(batch.isEmpty, "seed \(seed), round \(round)")
                continue
            }
            #expect(decoded.places.count == batch.count, "seed \(seed), round \(round)")
            let indices = decoded.places.map(\.index) + decoded.badRows.map(\.place.index)
            #expect(Set(indices) == Set(0..<indices.count), "seed \(seed), round \(round)")
        }
    }
}
