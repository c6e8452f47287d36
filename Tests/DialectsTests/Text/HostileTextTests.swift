import Dialects
import Telemetry
import Testing

/// Whatever a stranger sends: nothing traps, a message leaves all its readings or none, and the next message is read as ever.
@Suite struct HostileTextTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var format: PayloadFormat
        var topic: String
        var payload: [UInt8]
        var readingCount: Int

        init(_ format: PayloadFormat, topic: String = "t", _ payload: [UInt8], readings: Int) {
            (self.format, self.topic, self.payload, readingCount) = (format, topic, payload, readings)
        }

        init(_ format: PayloadFormat, topic: String = "t", _ text: String, readings: Int) {
            self.init(format, topic: topic, Array(text.utf8), readings: readings)
        }

        var testDescription: String { "\(format.rawValue) \(topic)" }
    }

    static let samples = [
        Sample(.value, "21.5 °C", readings: 1), Sample(.value, #""a\u00e9\n""#, readings: 1), Sample(.value, "-1234567.25e-3", readings: 1),
        Sample(.state, #"{"state":"online"}"#, readings: 1),
        Sample(
            .lineProtocol, "m\\,x,device=d\\ 1,host=h v=1i,s=\"a\\\"\nb\",t=T,f=1.5e3 1764000000000000000\n# c\r\nn,device=d u=5u",
            readings: 2),
        Sample(.csv, "time,device,a,\"b \"\"c\"\"\"\r\n1764000000,d1,1.5,\"x\ny\"\r\n,d2,,true\r\n", readings: 2),
        Sample(.homie, topic: "homie/car/engine/temperature", "21.5", readings: 1),
        Sample(.homie, topic: "homie/car/$state", "ready", readings: 1),
        Sample(.sparkplugB, topic: "spBv1.0/Plant/NBIRTH/edge1", SparkplugVectors.nodeBirth, readings: 2),
        Sample(.sparkplugB, topic: "spBv1.0/Plant/DBIRTH/edge1/pump", SparkplugVectors.deviceBirth, readings: 2),
        Sample(.sparkplugB, topic: "spBv1.0/Plant/NDEATH/edge1", SparkplugVectors.nodeDeath, readings: 1),
    ]

    private static let pieces: [[UInt8]] =
        [
            "\"", "\"\"", "\\", "\\\\", "\n", "\r\n", ",", ";", "\t", "=", " ", "#", "i", "u", "e", ".", "-", "9223372036854775807", "nan",
            "{", "}",
            "\u{FEFF}", "\u{1F600}", "\0", "device", "time", "null", "°C", "/", "$", "/$datatype", "spBv1.0/", "STATE",
        ].map { Array($0.utf8) } + [[0x80], [0xFF], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x12, 0x00], [0x12, 0x7F], [0x08, 0x80], [0xC3]]

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let position = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: position)
            case 1 where !bytes.isEmpty: bytes.remove(at: min(position, bytes.count - 1))
            case 2 where !bytes.isEmpty: bytes[min(position, bytes.count - 1)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 3 where !bytes.isEmpty: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random) / 4)
            default: bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: position)
            }
        }
    }

    @Test(arguments: samples, [UInt64(1), 2, 3])
    func mutatedMessagesNeverTrapNorLeakIntoTheNext(_ sample: Sample, _ seed: UInt64) {
        var random = SplitMix64(state: seed)
        let device = sample.format == .value || sample.format == .state ? "d" : nil
        let listener = Listener(sample.format)
        for round in 0..<2_000 {
            var (payload, topic) = (sample.payload, Array(sample.topic.utf8))
            Self.mutate(&payload, &random)
            if round % 4 == 0, sample.topic != "t" { Self.mutate(&topic, &random) }
            if payload.isEmpty { payload = [0] }
            let heard = listener.hear(payload, topic: String(decoding: topic, as: UTF8.self), device: device)
            if case .readings = heard.outcome {
                #expect(!heard.readings.isEmpty, "seed \(seed), round \(round)")
                #expect(heard.readings.allSatisfy { !$0.device.isEmpty && !$0.fields.isEmpty }, "seed \(seed), round \(round)")
            } else {
                #expect(heard.readings.isEmpty, "seed \(seed), round \(round)")
            }
            if round % 100 == 0 {
                listener.forget()
                listener.commit()
                let good = Listener(sample.format).hear(sample.payload, topic: sample.topic, device: device)
                let again = listener.hear(sample.payload, topic: sample.topic, device: device)
                #expect(good.readings.count == sample.readingCount, "\(good.outcome)")
                #expect(good.readings == again.readings, "seed \(seed), round \(round): \(again.outcome)")
                listener.forget()
            }
        }
    }

    @Test(arguments: samples) func everyPrefixIsReadOrRejected(_ sample: Sample) {
        let listener = Listener(sample.format)
        for count in 1..<sample.payload.count {
            let heard = listener.hear(Array(sample.payload[..<count]), topic: sample.topic, device: "d")
            #expect(heard.readings.isEmpty == !(heard.outcome == .readings(areTimedByReceipt: false)))
        }
    }

    /// A megabyte that no format expects must not take long, either.
    @Test(
        arguments: [PayloadFormat.value, .state, .lineProtocol, .csv, .homie, .sparkplugB],
        ["\"", ",", "\n", "=", "\\", "a,", " ", "\u{12}\0", "x\n", "a=1,", "#\n"])
    func aMegabyteOfOneThingEnds(_ format: PayloadFormat, _ unit: String) {
        let topics: [PayloadFormat: String] = [.homie: "homie/a/b/c", .sparkplugB: "spBv1.0/g/NBIRTH/e"]
        let payload = Array(String(repeating: unit, count: Limits.payloadByteCount / unit.utf8.count).utf8)
        let heard = Listener(format).hear(payload, topic: topics[format] ?? "t", device: "d")
        #expect(heard.readings.isEmpty || format == .sparkplugB, "\(heard.outcome)")
    }
}
