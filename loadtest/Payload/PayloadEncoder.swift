/// Writes messages in the run's dialect, or after the user's template. Pure: the same message comes out the same each time.
struct PayloadEncoder: Sendable {
    let dialect: Dialect
    let generator: ReadingGenerator
    let naming: DeviceNaming
    let fleet: Fleet
    /// Instead of the dialect's payload.
    let template: PayloadTemplate?

    /// - Parameter ordinal: how many messages the connection has sent in this session, announcements counted; only Sparkplug says it.
    func append(_ readings: MessageReadings, ordinal: Int, to bytes: inout [UInt8]) {
        if let template { return template.append(readings, naming: naming, seed: generator.seed, to: &bytes) }
        switch dialect {
        case .json: appendJSON(readings, to: &bytes)
        case .thingsboard: appendThingsBoard(readings, to: &bytes)
        case .thingsboardGateway: appendThingsBoardGateway(readings, to: &bytes)
        case .lineProtocol: appendLines(readings, tag: "host", to: &bytes)
        case .senml: appendSenML(readings, to: &bytes)
        case .value: bytes.append(hundredths: generator.energyHundredths(device: readings.device, sequence: readings.sequence))
        case .csv: appendCSV(readings, to: &bytes)
        case .cbor: appendCBOR(readings, to: &bytes)
        case .tasmota: appendTasmota(readings, to: &bytes)
        case .zigbee2mqtt: appendZigbee2MQTT(readings, to: &bytes)
        case .shelly: appendShelly(readings, to: &bytes)
        case .homie: bytes.append(hundredths: values(readings, 0).temperatureHundredths)
        case .sparkplugB: appendSparkplug(readings, ordinal: ordinal, to: &bytes)
        }
    }

    func values(_ readings: MessageReadings, _ index: Int) -> ReadingGenerator.Values {
        generator.values(device: readings.device, sequence: readings.sequence + index)
    }
}
