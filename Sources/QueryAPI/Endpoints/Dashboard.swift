import HTTPTypes
import Hummingbird

/// `/` and `/dashboard/…`: the page that people look at, and its files.
extension API {
    /// The dashboard is served to anyone who may connect; what it shows needs the token that it asks for.
    static var dashboardRoutes: [Route] {
        AssetLibrary.shared.dashboard.sorted { $0.key < $1.key }.map { path, asset in
            Route(.get, path == "index.html" ? "/" : "/dashboard/\(path)") { request in
                asset.response(to: request.headers, adding: pageHeaders)
            }
        }
    }

    /// What the browser must not do, whatever a page of ours says: load from elsewhere, run text as a script, be shown inside another page,
    /// tell others where it was.
    private static let pageHeaders: HTTPFields = {
        var headers = HTTPFields()
        headers[.contentSecurityPolicy] =
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        headers[HTTPField.Name("referrer-policy")!] = "no-referrer"
        headers[HTTPField.Name("x-frame-options")!] = "DENY"
        headers[HTTPField.Name("cross-origin-opener-policy")!] = "same-origin"
        return headers
    }()
}
