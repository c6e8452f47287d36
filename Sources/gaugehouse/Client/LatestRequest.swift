import Gateway

/// Asks for newest values.
struct LatestRequest {
    let devices: [String]
    let prefix: String?
    let fields: [String]
    let limit: Int

    private var fieldList: String? { fields.isEmpty ? nil : fields.joined(separator: ",") }

    /// The only device.
    func one(of client: APIClient, time: String) async throws -> JSONValue {
        try await client.get("/api/v1/devices/\(APIClient.escaped(devices[0]))/latest", ["fields": fieldList, "time": time])
    }

    /// All pages, and whether more devices follow.
    func answer(of client: APIClient, time: String) async throws -> (answer: LatestAnswer, hasMore: Bool) {
        var answer = LatestAnswer(fields: fields, isOfOne: devices.count == 1)
        if devices.count == 1 {
            answer.add([try await one(of: client, time: time)])
            return (answer, false)
        }
        let hasMore = try await client.pages(limit: limit) { limit, token in
            let parameters = ["fields": fieldList, "time": time, "limit": String(limit), "page_token": token]
            guard !devices.isEmpty else {
                return try await client.get("/api/v1/latest", parameters.merging(["prefix": prefix]) { $1 })
            }
            return try await client.post("/api/v1/latest", parameters, members: ["devices": .strings(devices)])
        } take: { page in
            answer.add(page["rows"].elements)
            return page["rows"].elements.count
        }
        if let unknown = answer.unknown { throw GatewayError("Not found: there is no device \(TextTable.shown(unknown))", .noInput) }
        return (answer, hasMore)
    }
}
