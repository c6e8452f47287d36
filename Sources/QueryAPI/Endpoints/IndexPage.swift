import HTTPTypes

/// `/`: a plain page that names what can be asked here.
enum IndexPage {
    static func html(routes: [Route]) -> String {
        let rows = routes.map { route in
            let isLink = route.method == .get && !route.pattern.contains("{")
            let path = isLink ? "<a href=\"\(route.pattern)\">\(route.pattern)</a>" : route.pattern
            return "<tr><td>\(route.method.rawValue)</td><td>\(path)</td><td>\(route.parameters.joined(separator: ", "))</td></tr>"
        }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>Gaugehouse</title></head><body>
            <h1>Gaugehouse</h1>
            <table><thead><tr><th>Method</th><th>Path</th><th>Parameters</th></tr></thead><tbody>
            \(rows.joined(separator: "\n"))
            </tbody></table>
            </body></html>

            """
    }
}
