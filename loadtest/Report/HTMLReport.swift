/// A run on one page: verdict, figures, plots, settings. Nothing is loaded from anywhere.
struct HTMLReport {
    private let report: LoadReport

    init(_ report: LoadReport) { self.report = report }

    var text: String {
        let title = "gaugehouse-load \(report.description.run)"
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>\(HTMLText.escaped(title))</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            <main>
            <h1>\(HTMLText.escaped(title))</h1>
            \(verdict)
            \(figures)
            \(latencyTable)
            \(rateChart.html)
            \(latencyChart.html)
            \(percentileChart.html)
            \(notes)
            <h2>Settings</h2>
            \(table(settings))
            </main>
            </body>
            </html>

            """
    }

    // MARK: Words and figures

    private var verdict: String {
        let verdict = report.verdict
        return "<p class=\"verdict \(verdict.isGood ? "good" : "bad")\">\(HTMLText.escaped(verdict.text))</p>"
    }

    private var figures: String {
        var figures = [
            (Text.grouped(Int(report.messagesPerSecond.rounded())), "messages a second"),
            (Text.grouped(report.sent), "messages sent"),
        ]
        if report.readingsPerMessage > 1 {
            figures.insert((Text.grouped(Int(report.readingsPerSecond.rounded())), "readings a second"), at: 1)
        }
        if let latency = report.latencyMicroseconds {
            figures.append((milliseconds(latency.p99), "p99 to \(report.answerName), ms"))
        }
        if let latency = report.queryable?.latencyMicroseconds { figures.append((milliseconds(latency.p99), "p99 to queryable, ms")) }
        if let latency = report.durable?.latencyMicroseconds { figures.append((milliseconds(latency.p99), "p99 to durable, ms")) }
        figures.append((Text.grouped(report.overrun + report.unsent), "late or never sent"))
        let items = figures.map { "<div><b>\($0.0)</b>\(HTMLText.escaped($0.1))</div>" }
        return "<div class=\"figures\">\(items.joined())</div>"
    }

    private var latencies: [(name: String, latency: LatencyReport)] {
        [
            ("to \(report.answerName)", report.latencyMicroseconds), ("to durable (HTTP write)", report.durable?.latencyMicroseconds),
            ("to queryable", report.queryable?.latencyMicroseconds),
        ].compactMap { name, latency in latency.map { (name, $0) } }
    }

    private var latencyTable: String {
        guard !latencies.isEmpty else { return "" }
        let heads = ["ms from \(report.origin)", "p50", "p90", "p99", "p99.9", "p99.99", "max", "count"]
        let rows = latencies.map { name, latency in
            let values = [latency.p50, latency.p90, latency.p99, latency.p999, latency.p9999, latency.max]
            return "<tr><th>\(name)</th>" + values.map { "<td>\(milliseconds($0))</td>" }.joined()
                + "<td>\(Text.grouped(latency.count))</td></tr>"
        }
        let head = heads.map { "<th>\($0)</th>" }.joined()
        return "<div class=\"wide\"><table class=\"numbers\"><thead><tr>\(head)</tr></thead><tbody>\(rows.joined())</tbody></table></div>"
    }

    private var notes: String {
        var notes = [
            report.origin == "schedule"
                ? "Latencies run from the time a message was due, not from when it could be sent: a stall counts for all that was due."
                : "Sent flat out: latencies run from the write and show the queue in front of a saturated server."
        ]
        if report.unanswered > 0 {
            notes.append(
                "\(Text.grouped(report.unanswered)) messages were never sent or never acknowledged. In the latencies is the time "
                    + "they were waited for; theirs are longer than shown.")
        }
        if report.isMQTT, report.qualityOfService == 1 {
            notes.append("A PUBACK is the broker's: it says nothing about what stands behind the broker.")
        }
        if report.durable != nil {
            notes.append(
                "Durable: a reading of a device of its own, written over HTTP and answered after the gateway's commit. It shares log and "
                    + "disk with the load, and goes past the broker.")
        }
        if let queryable = report.queryable {
            let question = queryable.questionMicroseconds.map { ", and a question took \(milliseconds($0.p50)) ms at the median" } ?? ""
            notes.append(
                "Queryable: too long by at most the time between two questions (\(milliseconds(queryable.pollIntervalMicroseconds)) ms"
                    + "\(question)), never too short. It bounds the time to durable of an MQTT message from above.")
        }
        if report.plan.rampUpSeconds + report.plan.rampDownSeconds > 0 {
            notes.append("The shaded ramps are in the plots over time and in no other figure.")
        }
        return "<ul class=\"notes\">" + notes.map { "<li>\(HTMLText.escaped($0))</li>" }.joined() + "</ul>"
    }

    // MARK: Plots

    private var ramps: [ClosedRange<Double>] {
        guard let duration = report.plan.durationSeconds else { return [] }
        let (up, down) = (report.plan.rampUpSeconds, report.plan.rampDownSeconds)
        return (up > 0 ? [0...up] : []) + (down > 0 ? [(up + duration)...(up + duration + down)] : [])
    }

    /// Of both plots over time.
    private var wholeRun: ClosedRange<Double> { 0...max(1, report.seconds) }

    /// The last second of a run is not a whole one, and says nothing about a rate.
    private var wholeSeconds: ArraySlice<SecondReport> { report.series.count > 1 ? report.series.dropLast() : report.series[...] }

    private var rateChart: SVGChart {
        // They mostly lie upon one another: what was sent is a broad band below, the plan a dashed line on top.
        var lines = [SVGChart.Line(name: "sent", style: "c0 band", points: wholeSeconds.map { (middle($0), rate($0.sent, in: $0)) })]
        if report.acknowledged > 0 {
            lines.append(.init(name: "answered", style: "c1", points: wholeSeconds.map { (middle($0), rate($0.acknowledged, in: $0)) }))
        }
        if report.plan.rate != nil {
            let planned = wholeSeconds.map { (middle($0), report.plan.plannedRate(second: middle($0))) }
            lines.append(.init(name: "planned", style: "plan", points: planned))
        }
        return SVGChart(title: "Messages a second", xName: "seconds", yName: "messages/s", lines: lines, xRange: wholeRun, shaded: ramps)
    }

    private var latencyChart: SVGChart {
        func line(_ name: String, _ style: String, _ series: [SecondReport], _ value: (SecondReport) -> UInt64?) -> SVGChart.Line {
            .init(name: name, style: style, points: series.map { second in (middle(second), value(second).map { Double($0) / 1_000 }) })
        }
        var lines = [
            line("\(report.answerName) p50", "c0", report.series, \.p50), line("p99", "c1", report.series, \.p99),
            line("max", "c2", report.series, \.max),
        ]
        if let queryable = report.queryable { lines.append(line("queryable, max", "c3", queryable.series, \.max)) }
        if let durable = report.durable { lines.append(line("durable, max", "c4", durable.series, \.max)) }
        return SVGChart(
            title: "Latency by the second a message was due in", xName: "seconds", yName: "ms", lines: lines, yScale: .logarithmic,
            xRange: wholeRun, shaded: ramps)
    }

    private var percentileChart: SVGChart {
        let lines = latencies.enumerated().map { index, entry in
            SVGChart.Line(
                name: entry.name, style: ["c0", "c4", "c3"][index % 3],
                points: entry.latency.curve.filter { $0.percentile < 100 }.map { point in
                    (-Logarithm.ten(1 - point.percentile / 100), Double(point.microseconds) / 1_000)
                })
        }
        let farthest = lines.flatMap(\.points).map(\.x).max() ?? 2
        let ticks = ["0", "90", "99", "99.9", "99.99", "99.999", "99.9999", "99.99999"].enumerated().map {
            (x: Double($0.offset), label: $0.element + " %")
        }
        return SVGChart(
            title: "Latency by percentile (HDR)", xName: "share of messages that were faster", yName: "ms", lines: lines,
            yScale: .logarithmic, xTicks: ticks.filter { $0.x <= (farthest - 0.05).rounded(.up) })
    }

    private func rate(_ count: Int, in second: SecondReport) -> Double { Double(count) / Double(second.seconds) }

    /// Not past the end of the run: the last second is not a whole one.
    private func middle(_ second: SecondReport) -> Double {
        min(Double(second.second) + Double(second.seconds) / 2, wholeRun.upperBound)
    }

    // MARK: Settings

    private var settings: [(String, String)] {
        let (description, plan) = (report.description, report.plan)
        var settings = [
            ("Target", report.target.rawValue + (report.isMQTT ? ", QoS \(report.qualityOfService)" : "")),
            ("Schedule", plan.text + (plan.count.map { ", \($0) messages" } ?? "")),
            (
                "Duration",
                plan.durationSeconds.map {
                    "\(Text.short($0)) s, ramps \(Text.short(plan.rampUpSeconds)) s and \(Text.short(plan.rampDownSeconds)) s"
                } ?? "by count"
            ),
            ("Devices", "\(description.devices) (\(description.prefix)*) on \(description.connections) connections"),
            ("Payload", payload), ("Seed", "\(description.seed)"),
            ("Sent", "\(report.sent), of these \(report.overrun) late; never sent \(report.unsent)"),
            ("Acknowledged", "\(report.acknowledged), unacknowledged \(report.unacknowledged)"),
        ]
        if let faults { settings.append(("Faults", faults)) }
        if report.reconnects > 0 { settings.append(("Reconnects", "\(report.reconnects), \(report.republished) messages sent again")) }
        settings.append(
            ("Generator", "\(Text.decimal(report.generator.cpuMicrosecondsPerMessage, digits: 2)) µs CPU a message"))
        if let verification = report.verification {
            let count = "\(verification.acknowledged) acknowledged, \(verification.readable) readable"
            settings.append(("Verification", "\(count), \(verification.differenceCount) differences"))
        }
        return settings
    }

    private var payload: String {
        let shape = report.description.template.map { "template \($0)" } ?? report.description.dialect.rawValue
        return "\(shape), \(report.payloadBytes) bytes"
            + (report.readingsPerMessage > 1 ? ", \(report.readingsPerMessage) readings each" : "")
    }

    private var faults: String? {
        let faults = report.description.faults
        let parts = [
            ("late by \(faults.lateBy / 1_000_000) s", faults.lateFraction), ("sent twice", faults.duplicateFraction),
            ("bad", faults.badFraction),
        ].filter { $0.1 > 0 }
        return parts.isEmpty ? nil : parts.map { "\(Text.short($0.1 * 100)) % \($0.0)" }.joined(separator: ", ")
    }

    private func table(_ rows: [(String, String)]) -> String {
        let body = rows.map { "<tr><th>\(HTMLText.escaped($0.0))</th><td>\(HTMLText.escaped($0.1))</td></tr>" }
        return "<table><tbody>\(body.joined())</tbody></table>"
    }

    private func milliseconds(_ microseconds: UInt64) -> String { Text.decimal(Double(microseconds) / 1_000, digits: 2) }

    /// Colours: distinguishable without red and green, and in both schemes.
    private static let style = """
        :root{color-scheme:light dark;--back:#fff;--text:#1c2126;--dim:#5b6570;--grid:#e3e7eb;--shade:#f1f3f5;--good:#0a7d57;--bad:#b3261e;\
        --c0:#0b69c7;--c1:#d9730d;--c2:#8a8f98;--c3:#7a3fb8;--c4:#00857a}
        @media (prefers-color-scheme:dark){:root{--back:#14181c;--text:#e6e9ec;--dim:#9aa4ae;--grid:#2b3238;--shade:#1d2328;--good:#4cc38a;\
        --bad:#ff8a80;--c0:#5aa9ff;--c1:#ffa14d;--c2:#9aa4ae;--c3:#c39bff;--c4:#3fd0c3}}
        body{background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif;margin:0}
        main{max-width:960px;margin:0 auto;padding:24px}
        h1{font-size:22px}h2{font-size:17px}
        .verdict{border-left:5px solid;padding:8px 14px;font-weight:600}.good{border-color:var(--good)}.bad{border-color:var(--bad)}
        .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:14px 20px;margin:20px 0;\
        color:var(--dim);font-size:13px}
        .figures b{display:block;font-size:24px;color:var(--text);font-variant-numeric:tabular-nums}
        table{border-collapse:collapse;width:100%;margin:12px 0}
        th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid var(--grid)}
        th{font-weight:500;color:var(--dim)}.numbers td,.numbers thead th+th{text-align:right;font-variant-numeric:tabular-nums}
        figure{margin:26px 0}figcaption{font-weight:600;margin-bottom:6px}svg{width:100%;min-width:640px;height:auto;display:block}
        figure,.wide{overflow-x:auto}.numbers{white-space:nowrap}
        svg text{fill:var(--dim);font-size:12px}.grid{stroke:var(--grid)}.shade{fill:var(--shade)}
        .line{fill:none;stroke-width:1.8;stroke-linejoin:round}circle{stroke:none}
        path.c0{stroke:var(--c0)}path.c1{stroke:var(--c1)}path.c2{stroke:var(--c2)}path.c3{stroke:var(--c3)}path.c4{stroke:var(--c4)}
        path.band{stroke-width:7;opacity:.35}i.band{height:7px;opacity:.5}
        path.plan{stroke:var(--text);stroke-dasharray:2 5;stroke-width:1.4}
        circle.c0{fill:var(--c0)}circle.c1{fill:var(--c1)}circle.c2{fill:var(--c2)}circle.c3{fill:var(--c3)}circle.c4{fill:var(--c4)}
        circle.plan{fill:var(--dim)}
        .legend{color:var(--dim);font-size:13px}.legend span{margin-right:20px;white-space:nowrap}
        .legend i{display:inline-block;width:16px;height:3px;margin-right:6px;vertical-align:middle}
        i.c0{background:var(--c0)}i.c1{background:var(--c1)}i.c2{background:var(--c2)}i.c3{background:var(--c3)}i.c4{background:var(--c4)}
        i.plan{background:repeating-linear-gradient(90deg,var(--text) 0 3px,transparent 3px 6px);height:2px}
        .notes{color:var(--dim);padding-left:20px}
        """
}
