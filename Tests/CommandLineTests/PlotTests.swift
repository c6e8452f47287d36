import Foundation
import Testing

@testable import gaugehouse

/// Plots, dot by dot.
@Suite(.serialized) struct PlotTests {
    private static let terminal = Terminal(environment: ["COLUMNS": "40"], isTerminal: false, measuredWidth: nil)
    private static let start: Int64 = 1_764_000_000_000_000

    init() {
        setenv("TZ", "UTC", 1)
        tzset()
    }

    private func plot(_ values: [(seconds: Int64, value: Double)]) -> [String] {
        let points = values.map { BraillePlot.Point(time: Self.start + $0.seconds * 1_000_000, value: $0.value) }
        return BraillePlot(title: "a temp", points: points, terminal: Self.terminal).text.components(separatedBy: "\n")
    }

    @Test func aRisingLineHasItsLabels() {
        #expect(
            plot([(0, 0), (60, 50), (120, 100)]).joined(separator: "\n") == """
                a temp  min 0 · avg 50 · max 100 · 3 values
                        100 ┤                        ⡠⠊
                            │                      ⡠⠊
                            │                    ⡠⠊
                         75 ┤                  ⡠⠊
                            │                ⡠⠊
                            │              ⡠⠊
                         50 ┤            ⡠⠊
                            │          ⡠⠊
                            │        ⡠⠊
                         25 ┤      ⡠⠊
                            │    ⡠⠊
                            │  ⡠⠊
                          0 ┤⡠⠊
                            └┬────────────────────────┬
                        UTC  16:00:00          16:02:00
                """)
    }

    @Test func aGapStaysEmpty() {
        let lines = plot((0..<10).map { (Int64($0), 1.0) } + (90..<100).map { (Int64($0), 1.0) })
        #expect(lines[7] == "          1 ┤⠒⠒⠒                    ⠒⠒⠒")
        #expect(lines[1] == "            │")
    }

    @Test func daysAreTold() {
        #expect(plot([(0, 1), (86_400, 2)]).last == "        UTC  11-24 16:00    11-25 16:00")
    }

    @Test(
        arguments: [
            [], [(0, 1.0)], [(0, 5.0), (0, 5.0)], [(0, -Double.greatestFiniteMagnitude), (1, .greatestFiniteMagnitude)], [(0, .infinity)],
            [(0, .nan)],
            [(Int64.min / 2_000_000, 1), (4_000_000_000_000, 2)], [(0, 1e-300), (10, 2e-300)],
        ] as [[(Int64, Double)]])
    func extremesAreDrawn(values: [(Int64, Double)]) {
        let lines = plot(values.map { ($0.0, $0.1) })
        #expect(lines.count == 1 || lines.count == 16)
        #expect(lines.dropFirst().allSatisfy { $0.count <= 40 }, "\(lines)")
    }

    @Test func linesAreConnected() {
        var canvas = BrailleCanvas(columnCount: 2, rowCount: 1)
        canvas.line(from: (0, 3), to: (3, 0))
        #expect(canvas.rows == ["⡠⠊"])
        canvas.set(-1, 0)
        canvas.set(0, 4)
        canvas.set(4, 0)
        #expect(canvas.rows == ["⡠⠊"])
    }

    @Test(arguments: [(0.0, "0"), (-3, "-3"), (21.5, "21.5"), (1e9, "1e+09"), (123_456.789, "123457"), (0.000_123_4, "0.0001234")])
    func numbersAreShort(value: Double, text: String) { #expect(BraillePlot.number(value) == text) }
}
