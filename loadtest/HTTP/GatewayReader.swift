/// Reads a device's range through the gateway's HTTP API, page by page.
struct GatewayReader {
    let client: HTTPClient
    /// Nil: the gateway's default table.
    let table: String?

    /// Calls `body` with each row up to a time, µs since the epoch, from the oldest there is. A device the gateway does not know has none.
    /// - Throws: `.unavailable` also for 429, 503 and 507, after which a later try may succeed; `.badPeer` with the gateway's own words.
    func forEachRow(
        device: String, through end: Int64, pageLimit: Int, _ body: (DeviceVerifier.Row) -> Void
    ) throws(LoadError) {
        var target =
            "/api/v1/devices/\(Self.percentEncoded(device))/range?order=asc&time=us&limit=\(pageLimit)&end=\(end + 1)"
        if let table { target += "&table=\(Self.percentEncoded(table))" }
        var token: String?
        repeat {
            guard let page = try page(target + (token.map { "&page_token=\(Self.percentEncoded($0))" } ?? "")) else { return }
            try rows(of: page, body)
            token = page["next_page_token"]?.text
        } while token != nil
    }

    private func page(_ target: String) throws(LoadError) -> JSONValue? {
        let response = try client.get(target)
        switch response.status {
        case 200: break
        case 404: return nil
        default:
            let words = String(decoding: response.body.prefix(500), as: UTF8.self)
            let isPassing = [429, 503, 507].contains(response.status)
            throw LoadError(isPassing ? .unavailable : .badPeer, "GET \(target): status \(response.status): \(words)")
        }
        do {
            return try JSONParser.parse(response.body)
        } catch {
            throw LoadError(.badPeer, "GET \(target): no JSON at byte \(error.offset)")
        }
    }

    private func rows(of page: JSONValue, _ body: (DeviceVerifier.Row) -> Void) throws(LoadError) {
        guard let columns = page["columns"]?.elements, let rows = page["rows"]?.elements else {
            throw LoadError(.badPeer, "an answer of /range without columns and rows")
        }
        let names = columns.map { $0["name"]?.text ?? "" }
        for row in rows {
            guard let cells = row.elements, cells.count == names.count, names.first == "time", case .integer(let time) = cells[0] else {
                throw LoadError(.badPeer, "a row of /range that does not fit its columns")
            }
            var fields: [String: JSONValue] = [:]
            for (name, cell) in zip(names, cells).dropFirst() where cell != .null { fields[name] = cell }
            body(DeviceVerifier.Row(time: time, fields: fields))
        }
    }

    /// The newest value of each field of a device; empty while the gateway does not know it.
    func latest(device: String) throws(LoadError) -> [String: JSONValue] {
        var target = "/api/v1/devices/\(Self.percentEncoded(device))/latest"
        if let table { target += "?table=\(Self.percentEncoded(table))" }
        guard case .object(let values)? = try page(target)?["values"] else { return [:] }
        return values.compactMapValues { $0["value"] }
    }

    /// Everything but RFC 3986's unreserved characters.
    static func percentEncoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII,
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil || "-._~".unicodeScalars.contains(scalar)
            {
                encoded.unicodeScalars.append(scalar)
            } else {
                encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
