import Delivery
import Foundation
import ObjectStorage
import Telemetry
import TelemetryStore

/// Reads the definition of a delivery that the API was asked for: a JSON object with the options of `[[delivery]]`.
///
/// Credentials never come this way: an S3 destination takes them, and its endpoint, from a `[delivery.s3]` of the configuration, which
/// the member `s3` names by its delivery; without it they come from the environment, and the endpoint is that of AWS.
struct DeliveryDocument {
    private enum Value: Decodable {
        case raw(RawOptionValue)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let value = try? container.decode(Bool.self) {
                self = .raw(.boolean(value))
            } else if let value = try? container.decode(Int.self) {
                self = .raw(.integer(value))
            } else if let value = try? container.decode(String.self) {
                self = .raw(.string(value))
            } else if let value = try? container.decode([String].self) {
                self = .raw(.strings(value))
            } else {
                self = .raw(.other("a value that no option has"))
            }
        }

        var raw: RawOptionValue { switch self { case .raw(let raw): raw } }
    }

    static let byteCountLimit = 64 << 10
    /// What a definition must name: the defaults of the configuration are those of the first delivery.
    private static let required = ["name", "destination"]

    let tables: [TableOptions]
    /// `[delivery.s3]` sections, by the names of their deliveries.
    let s3: [String: SectionValues]
    let storePath: String

    /// - Throws: `DeliveryOptionError`: the member that is wrong, and why.
    func definition(_ bytes: [UInt8]) throws(DeliveryOptionError) -> DeliveryDefinition {
        var members = try members(bytes)
        var s3: SectionValues?
        if let name = members.removeValue(forKey: "s3") { s3 = try s3Section(name) }
        let values = try values(members)
        let delivery = try DeliveryConfiguration(values, s3: s3, defaultTable: tables[0].name)
        guard s3 == nil || values.text("destination").hasPrefix(S3Location.scheme) else {
            throw DeliveryOptionError("s3", "needs a destination of the form s3://bucket/prefix")
        }
        try check(delivery)
        return DeliveryDefinition(
            options: delivery.options, destination: delivery.destination,
            origin: .api(document: String(decoding: bytes, as: UTF8.self)), stop: delivery.stop)
    }

    /// For messages about a document that cannot be used.
    static func name(of document: String) -> String {
        struct Named: Decodable { var name: String }
        return (try? JSONDecoder().decode(Named.self, from: Data(document.utf8)))?.name ?? "without a name"
    }

    private func members(_ bytes: [UInt8]) throws(DeliveryOptionError) -> [String: RawOptionValue] {
        guard bytes.count <= Self.byteCountLimit else {
            throw DeliveryOptionError("body", "may have at most \(Self.byteCountLimit) bytes")
        }
        do {
            return try JSONDecoder().decode([String: Value].self, from: Data(bytes)).mapValues(\.raw)
        } catch {
            throw DeliveryOptionError("body", "must be a JSON object with the options of a [[delivery]]")
        }
    }

    private func s3Section(_ name: RawOptionValue) throws(DeliveryOptionError) -> SectionValues {
        guard case .string(let name) = name else { throw DeliveryOptionError("s3", "must be the name of a delivery") }
        guard let section = s3[name] else {
            let known = s3.keys.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
            throw DeliveryOptionError(
                "s3",
                "no delivery named \"\(name)\" with a [delivery.s3] is in the configuration"
                    + (known.isEmpty ? "" : "; there are \(known)"))
        }
        return section
    }

    private func values(_ members: [String: RawOptionValue]) throws(DeliveryOptionError) -> SectionValues {
        let section = ConfigurationSchema.delivery
        var values = SectionValues(section: section, path: ["delivery", "api"], origin: .builtIn)
        for (key, raw) in members.sorted(by: { $0.key < $1.key }) {
            guard let option = section.option(key) else {
                let hint = nearestName(to: key, among: section.options.map(\.key) + ["s3"]).map { "; did you mean \"\($0)\"?" } ?? ""
                throw DeliveryOptionError(key, "is no option of a delivery\(hint)")
            }
            switch option.value(of: raw) {
            case .success(let value): values.set(key, to: value, at: .builtIn)
            case .failure(let mistake): throw DeliveryOptionError(key, mistake.message)
            }
        }
        for key in Self.required where members[key] == nil { throw DeliveryOptionError(key, "is missing") }
        return values
    }

    /// What follows from the table and the store.
    private func check(_ delivery: DeliveryConfiguration) throws(DeliveryOptionError) {
        guard let table = tables.first(where: { $0.name == delivery.options.table }) else {
            let hint = nearestName(to: delivery.options.table, among: tables.map(\.name)).map { "; did you mean \"\($0)\"?" } ?? ""
            throw DeliveryOptionError("table", "there is no table \"\(delivery.options.table)\"\(hint)")
        }
        try delivery.options.checkPrefix(partitionLength: table.partitionLength, buckets: table.buckets)
        try delivery.checkAge(ttl: table.ttl)
        try delivery.checkPlace(storePath: storePath)
    }
}
