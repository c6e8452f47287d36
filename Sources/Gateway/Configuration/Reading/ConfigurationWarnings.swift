import Dialects
import Ingest
import ObjectStorage

/// What works, but hardly as it is meant: said by `check-config`, at the start and after a reload.
extension ConfigurationReader {
    mutating func findWarnings() {
        for values in sections where values.section.name == "subscription" { warnOfUnreadOptions(values) }
        for broker in sections.filter({ $0.section.name == "mqtt" }) { warnOfOverlaps(at: broker) }
        for values in sections where values.section.name == "s3" { warnOfUnusedS3(values) }
    }

    private mutating func warnOfUnusedS3(_ values: SectionValues) {
        guard let delivery = sections.first(where: { $0.path == values.path.dropLast() }) else { return }
        if !delivery.text("destination").hasPrefix(S3Location.scheme) {
            warn("[delivery.s3]: the destination above it is no s3://bucket/prefix", at: values.origin)
        }
    }

    private mutating func warnOfUnreadOptions(_ values: SectionValues) {
        guard let format = PayloadFormat(rawValue: values.text("format")) else { return }
        for option in values.section.options where values.isChanged(option.key) && !format.reads(option.key) {
            warn("\(option.key): the format \(format.rawValue) does not read it", at: values.place(of: option.key))
        }
        if values.isChanged("table"), values.text("topic").split(separator: "/").contains("{table}") {
            warn("table: the part {table} of the topic names it", at: values.place(of: "table"))
        }
    }

    /// The first one decides: as long as the broker says for which of them it sends a message, nothing is amiss.
    private mutating func warnOfOverlaps(at broker: SectionValues) {
        let subscriptions = sections.filter { $0.section.name == "subscription" && $0.path.starts(with: broker.path) }
        for (index, values) in subscriptions.enumerated() {
            let filter = values.text("filter")
            guard let first = subscriptions[..<index].first(where: { TopicFilter.overlap($0.text("filter"), filter) }) else { continue }
            warn(
                "filter: \"\(filter)\" overlaps \"\(first.text("filter"))\" above, which takes what fits both; a broker without MQTT 5 may "
                    + "send that twice, and readings without a time are then stored twice", at: values.place(of: "filter"))
        }
    }
}

extension PayloadFormat {
    /// Whether an option of `[[mqtt.subscription]]` makes a difference.
    fileprivate func reads(_ option: String) -> Bool {
        switch option {
        case "time_key", "time_zone": [.auto, .csv].contains(self) || readsObjects
        case "time_unit": [.auto, .csv, .lineProtocol].contains(self) || readsObjects
        case "device_tag": [.auto, .csv, .lineProtocol].contains(self)
        case "tags", "measurement": [.auto, .lineProtocol].contains(self)
        case "columns": [.auto, .csv].contains(self)
        default: true
        }
    }

    private var readsObjects: Bool {
        switch self {
        case .json, .cbor, .thingsboard, .thingsboardGateway, .tasmota, .zigbee2mqtt, .shelly: true
        case .auto, .lineProtocol, .senml, .sparkplugB, .value, .csv, .homie, .state: false
        }
    }
}
