import Hummingbird

/// The body of POST `/api/v1/latest`: `{"devices":["a","b"]}`.
enum DeviceListBody {
    /// Ids of one list.
    static let limit = 100_000

    /// - Throws: a 400 that names `body`, `devices`, or the member that does not belong there.
    static func parse(_ body: ByteBuffer) throws(Problem) -> [String] {
        let members = try JSONValue.members(of: body, form: "{\"devices\":[…]}")
        if let stranger = members.first(where: { $0.name != "devices" }) {
            throw .invalid(stranger.name, "The body has no member \(stranger.name); it must be {\"devices\":[…]}.")
        }
        guard members.count == 1, case .array(let elements) = members[0].value else {
            throw .invalid("devices", "devices must be one list of device ids.")
        }
        guard elements.count <= limit else { throw .invalid("devices", "devices may name at most \(limit) devices.") }
        var ids: [String] = []
        for element in elements {
            guard case .string(let id) = element else { throw .invalid("devices", "Device ids are strings.") }
            ids.append(id)
        }
        return ids
    }
}

extension JSONValue {
    /// The members of a request's body.
    ///
    /// - Parameter form: what the body must look like, for the problem.
    static func members(of body: ByteBuffer, form: String) throws(Problem) -> [Member] {
        let value: JSONValue
        do {
            value = try parse(Array(body.readableBytesView))
        } catch {
            throw .invalid("body", "The body is not JSON: \(error.detail) at byte \(error.offset). It must be \(form).")
        }
        guard case .object(let members) = value else { throw .invalid("body", "The body must be \(form).") }
        return members
    }
}
