import Foundation
import Testing

@testable import gaugehouse_load

@Suite("Payload templates")
struct TemplateTests {
    private let naming = DeviceNaming(prefix: "d-", deviceCount: 100)

    private func text(_ template: PayloadTemplate, device: Int = 7, sequence: Int = 3, seed: UInt64 = 1) -> String {
        var bytes: [UInt8] = []
        let readings = MessageReadings(device: device, sequence: sequence, count: 1, time: 1_764_000_012_345_678, step: 1)
        template.append(readings, naming: naming, seed: seed, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func parse(_ text: String) throws -> PayloadTemplate { try TemplateParser.parse(Array(text.utf8)) }

    @Test("device, number and times stand where they are named; the file's last newline does not count")
    func plain() throws {
        let template = try parse(
            "{\"id\":\"{{device}}\",\"n\":{{seq}},\"s\":{{ts_s}},\"ms\":{{ts_ms}},\"us\":{{ts_us}},\"at\":\"{{ts_iso}}\"}\n")
        #expect(
            text(template)
                == #"{"id":"d-07","n":3,"s":1764000012,"ms":1764000012345,"us":1764000012345678,"at":"2025-11-24T16:00:12.345Z"}"#)
        #expect(try text(parse("{{ts_ns}}{{seq}}")) == "17640000123456780003")
    }

    @Test("a walk stays between min and max and moves at most a step, in the places its numbers have")
    func walk() throws {
        let template = try parse("{{walk:-5:12.5:0.25}}")
        var (previous, values) = (Double.nan, Set<Double>())
        for sequence in 0..<2_000 {
            let shown = text(template, sequence: sequence)
            #expect(shown.split(separator: ".").last?.count == 2)
            let value = try #require(Double(shown))
            #expect((-5...12.5).contains(value))
            if sequence > 0 { #expect(abs(value - previous) <= 0.2501) }
            previous = value
            values.insert(value)
        }
        #expect(values.count > 200)
        #expect(try text(parse("{{walk:3:3:1}}")) == "3")
    }

    @Test("draws are even over their range, inclusive")
    func random() throws {
        let template = try parse("{{random:-1:2}}")
        var counts: [String: Int] = [:]
        for sequence in 0..<4_000 { counts[text(template, sequence: sequence), default: 0] += 1 }
        #expect(counts.keys.sorted() == ["-1", "0", "1", "2"])
        #expect(counts.values.allSatisfy { (850...1_150).contains($0) })
    }

    @Test("a choice takes each of its words, empty ones too")
    func choice() throws {
        let template = try parse("[{{choice:on|off||very on}}]")
        let seen = Set((0..<200).map { text(template, sequence: $0) })
        #expect(seen == ["[on]", "[off]", "[]", "[very on]"])
    }

    @Test("seed, device and place make different values; the same ones make the same")
    func seeds() throws {
        let template = try parse("{{random:0:1000000}} {{random:0:1000000}}")
        let pair = text(template).split(separator: " ")
        #expect(pair[0] != pair[1])
        #expect(text(template) == text(template))
        #expect(text(template) != text(template, seed: 2))
        #expect(text(template) != text(template, device: 8))
    }

    @Test("the largest numbers do not overflow")
    func extremes() throws {
        let template = try parse("{{walk:-1000:1000:0.000000001}} {{random:-1000000000000:1000000000000}}")
        for sequence in [0, 1, 1_000_000, Int(UInt32.max)] { #expect(!text(template, sequence: sequence).isEmpty) }
    }

    @Test(
        "what is wrong is named with line and column",
        arguments: [
            ("", 1, 1), ("a\n  {{nonsense}}", 2, 5), ("{{seq", 1, 1), ("{{walk:1:2}}", 1, 3), ("{{walk:2:1:1}}", 1, 3),
            ("{{walk:1:2:0}}", 1, 3), ("{{walk:a:2:1}}", 1, 3), ("{{random:1:2:3}}", 1, 3), ("{{random:1e3:2}}", 1, 3),
            ("{{random:0:9999999999999}}", 1, 3), ("{{random:1.:2}}", 1, 3), ("{{random:0:0.0000000001}}", 1, 3), ("{{}}", 1, 3),
            ("{{random:-:2}}", 1, 3), ("{{random:--1:2}}", 1, 3),
        ])
    func wrong(text: String, line: Int, column: Int) {
        let failure = #expect(throws: TemplateParser.Failure.self) { try parse(text) }
        #expect(failure?.line == line && failure?.column == column, "\(failure?.description ?? "accepted")")
    }

    @Test("no template of random bytes is more than an error", arguments: [UInt64(1), 2, 3])
    func fuzz(seed: UInt64) {
        let pieces = ["{{", "}}", "walk:", "random:", "choice:", ":", "|", "-", ".", "9999999999", "1", "é", "\n", "{", "}", "ts_ms"]
        for round in 0..<3_000 {
            var text = ""
            for piece in 0..<8 {
                let draw = ReadingGenerator.mix(seed &* 1_000_003 &+ UInt64(round * 8 + piece))
                text += pieces[Int(draw % UInt64(pieces.count))]
            }
            if let template = try? parse(text) { _ = self.text(template, sequence: round) }
        }
    }
}
