import HTTPTypes
import Hummingbird

/// `/` and `/dashboard/…`: the page that people look at, and its files.
extension API {
    /// The dashboard is served to anyone who may connect; what it shows needs the token that it asks for.
    static var dashboardRoutes: [Route] {
        AssetLibrary.shared.dashboard.sorted { $0.key < $1.key }.map { path, asset in
            Route(.get, path == "index.html" ? "/" : "/dashboard/\(path)", needs: .open) { request in
                asset.response(to: request.headers)
            }
        }
    }
}
