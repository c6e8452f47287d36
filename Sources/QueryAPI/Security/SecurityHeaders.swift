import HTTPTypes

/// What every answer tells browsers, whoever made it. Handlers set none of these.
///
/// No `Strict-Transport-Security`: it holds for every port of the host, and a box often has a neighbour there that speaks plain HTTP.
enum SecurityHeaders {
    /// Pages load from here alone and run no inline script; nobody frames them.
    private static let pagePolicy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    /// What a page is made of.
    private static let pageTypes = ["text/html", "text/css", "text/javascript", "image/"]
    /// Data are no page: what takes them for one may do nothing.
    private static let dataPolicy = "default-src 'none'; frame-ancestors 'none'"

    static func add(to headers: inout HTTPFields) {
        var (isPage, isCacheControlled) = (false, false)
        for field in headers {
            switch field.name {
            case .contentType: isPage = pageTypes.contains { field.value.hasPrefix($0) }
            case .cacheControl: isCacheControlled = true
            default: continue
            }
        }
        headers.append(contentsOf: isPage ? pageFields : dataFields)
        if !isCacheControlled { headers.append(notStored) }
    }

    // Made once: checking the text of a field takes longer than sending it.
    private static let commonFields = [
        HTTPField(name: .xContentTypeOptions, value: "nosniff"),
        HTTPField(name: .xFrameOptions, value: "DENY"),
        HTTPField(name: .referrerPolicy, value: "no-referrer"),
        HTTPField(name: .crossOriginResourcePolicy, value: "same-origin"),
    ]
    private static let dataFields = [HTTPField(name: .contentSecurityPolicy, value: dataPolicy)] + commonFields
    private static let pageFields =
        [HTTPField(name: .contentSecurityPolicy, value: pagePolicy)] + commonFields
        + [HTTPField(name: .crossOriginOpenerPolicy, value: "same-origin")]
    private static let notStored = HTTPField(name: .cacheControl, value: "no-store")
}

extension HTTPField.Name {
    static let xFrameOptions = HTTPField.Name("x-frame-options")!
    static let referrerPolicy = HTTPField.Name("referrer-policy")!
    static let crossOriginResourcePolicy = HTTPField.Name("cross-origin-resource-policy")!
    static let crossOriginOpenerPolicy = HTTPField.Name("cross-origin-opener-policy")!
}
