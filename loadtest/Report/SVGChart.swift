/// A line chart as inline SVG. Colours come from the page's classes, so that light and dark are the page's business.
struct SVGChart {
    struct Line {
        var name: String
        /// A class of the page's style sheet: `c0`…`c5`, or `plan`.
        var style: String
        /// In the axes' units; sorted by x. A point without y interrupts the line.
        var points: [(x: Double, y: Double?)]
    }

    enum Scale {
        /// From zero.
        case linear
        /// Whole powers of ten around the values.
        case logarithmic
    }

    var title: String
    var xName: String
    var yName: String
    var lines: [Line]
    var yScale = Scale.linear
    /// Positions and labels below the axis; empty: round numbers.
    var xTicks: [(x: Double, label: String)] = []
    /// The x axis shows at least this.
    var xRange: ClosedRange<Double>?
    /// Parts of the x axis to set off.
    var shaded: [ClosedRange<Double>] = []

    private static let size = (width: 900.0, height: 300.0)
    private static let frame = (left: 70.0, right: 34.0, top: 16.0, bottom: 44.0)

    /// A figure with caption, chart and legend; a sentence when there is nothing to draw.
    var html: String {
        let heading = "<figure><figcaption>\(HTMLText.escaped(title))</figcaption>"
        guard let axes = Axes(self) else { return heading + "<p class=\"none\">Nothing was recorded.</p></figure>" }
        var svg =
            "<svg viewBox=\"0 0 \(Int(Self.size.width)) \(Int(Self.size.height))\" role=\"img\" aria-label=\"\(HTMLText.escaped(title))\">"
        for range in shaded { svg += rectangle(axes, range) }
        svg += grid(axes)
        for line in lines { svg += path(line, axes) }
        svg += "<text class=\"axis\" x=\"\(number((Self.frame.left + Self.size.width - Self.frame.right) / 2))\" "
        svg += "y=\"\(number(Self.size.height - 6))\" text-anchor=\"middle\">\(HTMLText.escaped(xName))</text>"
        svg += "<text class=\"axis\" transform=\"translate(14 \(number((Self.size.height - Self.frame.bottom) / 2))) rotate(-90)\" "
        svg += "text-anchor=\"middle\">\(HTMLText.escaped(yName))</text></svg>"
        let legend = lines.map { "<span><i class=\"\($0.style)\"></i>\(HTMLText.escaped($0.name))</span>" }.joined()
        return heading + svg + "<div class=\"legend\">\(legend)</div></figure>"
    }

    // MARK: Axes

    /// Ranges of both axes, and how values become positions.
    private struct Axes {
        let x: ClosedRange<Double>
        let y: ClosedRange<Double>
        let isLogarithmic: Bool
        let yTicks: [Double]
        let xTicks: [(x: Double, label: String)]

        /// Nil when no line has a point.
        init?(_ chart: SVGChart) {
            let points = chart.lines.flatMap(\.points).filter { $0.y != nil }
            guard let first = points.map(\.x).min(), let last = points.map(\.x).max(), let top = points.compactMap(\.y).max() else {
                return nil
            }
            let ticked = chart.xTicks.map(\.x) + (chart.xRange.map { [$0.lowerBound, $0.upperBound] } ?? [])
            let low = min(first, ticked.min() ?? first)
            let high = max(last, ticked.max() ?? last)
            x = low...(high > low ? high : low + 1)
            isLogarithmic = chart.yScale == .logarithmic
            if isLogarithmic {
                let positive = points.compactMap(\.y).filter { $0 > 0 }.min() ?? 0.001
                var (from, to) = (0.001, 0.01)
                while from * 10 <= positive { from *= 10 }
                to = from * 10
                while to < top { to *= 10 }
                y = from...to
                yTicks = Array(sequence(first: from) { $0 * 10 }.prefix { $0 <= to * 1.001 })
            } else {
                let step = Self.roundStep(top / 5)
                let highest = max(step, (top / step).rounded(.up) * step)
                y = 0...highest
                yTicks = Array(stride(from: 0, through: highest + step / 2, by: step))
            }
            if chart.xTicks.isEmpty {
                let step = Self.roundStep((x.upperBound - x.lowerBound) / 8)
                let begin = (x.lowerBound / step).rounded(.up) * step
                xTicks = stride(from: begin, through: x.upperBound, by: step).map { ($0, Text.short($0)) }
            } else {
                xTicks = chart.xTicks
            }
        }

        /// The next of 1, 2, 5, 10… that is not below.
        private static func roundStep(_ least: Double) -> Double {
            guard least > 0, least.isFinite else { return 1 }
            var power = 1e-6
            while power * 10 <= least { power *= 10 }
            return [1, 2, 5, 10].map { $0 * power }.first { $0 >= least * 0.999 } ?? power * 10
        }

        func left(_ value: Double) -> Double {
            let width = SVGChart.size.width - SVGChart.frame.left - SVGChart.frame.right
            return SVGChart.frame.left + (value - x.lowerBound) / (x.upperBound - x.lowerBound) * width
        }

        func top(_ value: Double) -> Double {
            let height = SVGChart.size.height - SVGChart.frame.top - SVGChart.frame.bottom
            let share: Double
            if isLogarithmic {
                let clamped = max(value, y.lowerBound)
                share = Logarithm.ten(clamped / y.lowerBound) / Logarithm.ten(y.upperBound / y.lowerBound)
            } else {
                share = value / y.upperBound
            }
            return SVGChart.frame.top + (1 - share) * height
        }
    }

    // MARK: Elements

    private func grid(_ axes: Axes) -> String {
        var svg = ""
        let (left, right) = (Self.frame.left, Self.size.width - Self.frame.right)
        let bottom = Self.size.height - Self.frame.bottom
        for tick in axes.yTicks {
            let y = number(axes.top(tick))
            svg += "<line class=\"grid\" x1=\"\(number(left))\" x2=\"\(number(right))\" y1=\"\(y)\" y2=\"\(y)\"/>"
            svg += "<text x=\"\(number(left - 8))\" y=\"\(y)\" dy=\"4\" text-anchor=\"end\">\(Text.short(tick))</text>"
        }
        for tick in axes.xTicks {
            let x = number(axes.left(tick.x))
            svg += "<line class=\"grid\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(number(Self.frame.top))\" y2=\"\(number(bottom))\"/>"
            svg += "<text x=\"\(x)\" y=\"\(number(bottom + 16))\" text-anchor=\"middle\">\(HTMLText.escaped(tick.label))</text>"
        }
        return svg
    }

    private func path(_ line: Line, _ axes: Axes) -> String {
        var (commands, isDown, dots) = ("", false, "")
        for (index, point) in line.points.enumerated() {
            guard let y = point.y else {
                isDown = false
                continue
            }
            let position = "\(number(axes.left(point.x))) \(number(axes.top(y)))"
            commands += (isDown ? "L" : "M") + position
            // A point without neighbours would not be seen.
            let isAlone = !isDown && (index + 1 == line.points.count || line.points[index + 1].y == nil)
            if isAlone {
                dots += "<circle class=\"\(line.style)\" r=\"2.5\" cx=\"\(number(axes.left(point.x)))\" cy=\"\(number(axes.top(y)))\"/>"
            }
            isDown = true
        }
        return commands.isEmpty ? "" : "<path class=\"line \(line.style)\" d=\"\(commands)\"/>" + dots
    }

    private func rectangle(_ axes: Axes, _ range: ClosedRange<Double>) -> String {
        let bounds = range.clamped(to: axes.x)
        let (left, right) = (axes.left(bounds.lowerBound), axes.left(bounds.upperBound))
        guard right > left else { return "" }
        let height = Self.size.height - Self.frame.top - Self.frame.bottom
        return "<rect class=\"shade\" x=\"\(number(left))\" y=\"\(number(Self.frame.top))\" width=\"\(number(right - left))\" "
            + "height=\"\(number(height))\"/>"
    }

    private func number(_ value: Double) -> String { Text.decimal(value, digits: 1) }
}

enum HTMLText {
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
