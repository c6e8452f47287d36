import CAssets
import HTTPTypes

/// The files that the program carries, ready to be sent.
struct AssetLibrary: Sendable {
    /// By path below `/dashboard/`; `index.html` is served at `/`.
    let dashboard: [String: Asset]
    /// `docs/openapi.yaml`.
    let openAPI: Asset

    static let shared = AssetLibrary()

    private init() {
        var dashboard: [String: Asset] = [:]
        var next = gh_dashboard_list()
        while let entry = next?.pointee, let path = entry.path {
            let name = String(cString: path)
            guard let type = Self.contentTypes[name.split(separator: ".").last.map(String.init) ?? ""] else {
                preconditionFailure("\(name) is carried, but what it is nobody knows")
            }
            dashboard[name] = Asset(Self.bytes(entry.bytes), contentType: type)
            next = next?.advanced(by: 1)
        }
        self.dashboard = dashboard
        openAPI = Asset(Self.bytes(gh_openapi()), contentType: "application/yaml")
    }

    private static func bytes(_ start: UnsafePointer<UInt8>) -> [UInt8] {
        var end = start
        while end.pointee != 0 { end += 1 }
        return Array(UnsafeBufferPointer(start: start, count: end - start))
    }

    private static let contentTypes = [
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
    ]
}
