import Testing

@testable import gaugehouse_load

@Suite("Readings")
struct ReadingGeneratorTests {
    private func payload(_ generator: ReadingGenerator, device: Int = 3, sequence: Int = 9, time: Int64 = 1_764_000_000_000_000) -> [UInt8]
    {
        var bytes: [UInt8] = []
        generator.appendPayload(device: device, sequence: sequence, time: time, to: &bytes)
        return bytes
    }

    @Test("the payload is JSON that says exactly the expected fields", arguments: [0, 50, 127, 128, 129, 400, 5_000])
    func payloadMatchesExpectation(size: Int) throws {
        let generator = ReadingGenerator(seed: 42, payloadByteCount: size)
        for sequence in 0..<300 {
            let bytes = payload(generator, sequence: sequence)
            guard case .object(var members) = try JSONParser.parse(bytes) else { return #expect(Bool(false), "no object") }
            #expect(members.removeValue(forKey: "ts") == .integer(1_764_000_000_000_000))
            #expect(members == generator.expectedFields(device: 3, sequence: sequence, time: 1_764_000_000_000_000))
            if size >= 200 { #expect(bytes.count == size) }
        }
    }

    @Test("a seed gives the same readings each time, another one others")
    func seeds() {
        #expect(payload(ReadingGenerator(seed: 1)) == payload(ReadingGenerator(seed: 1)))
        #expect(payload(ReadingGenerator(seed: 1)) != payload(ReadingGenerator(seed: 2)))
        #expect(payload(ReadingGenerator(seed: 1), device: 1) != payload(ReadingGenerator(seed: 1), device: 2))
    }

    @Test("values walk in small steps and stay in range")
    func walk() {
        let generator = ReadingGenerator(seed: 7)
        for device in 0..<20 {
            var previous = generator.values(device: device, sequence: 0)
            for sequence in 1..<2_000 {
                let values = generator.values(device: device, sequence: sequence)
                #expect((500...3_500).contains(values.temperatureHundredths))
                #expect((0...10_000).contains(values.humidityHundredths))
                #expect((0...100).contains(values.battery))
                #expect((-100 ... -40).contains(values.rssi))
                #expect(abs(values.temperatureHundredths - previous.temperatureHundredths) <= 25)
                previous = values
            }
        }
    }

    @Test(
        "decimal digits are written as Swift would",
        arguments: [0, 9, 10, 99, 100, -1, 1_764_000_000_000_000, 999_999_999_999_999_999, 1_000_000_000_000_000_000, Int64.max, Int64.min])
    func decimals(value: Int64) {
        var bytes: [UInt8] = []
        bytes.append(decimal: value)
        #expect(String(decoding: bytes, as: UTF8.self) == String(value))
    }

    @Test("hundredths keep their sign and both digits", arguments: [(2_153, "21.53"), (-5, "-0.05"), (0, "0.00"), (-1_200, "-12.00")])
    func hundredths(value: Int64, expected: String) {
        var bytes: [UInt8] = []
        bytes.append(hundredths: value)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test("device names translate back, others do not")
    func names() {
        let naming = DeviceNaming(prefix: "load-", deviceCount: 1_000)
        #expect(naming.name(of: 7) == "load-007")
        #expect(naming.device(named: Array("load-007".utf8)) == 7)
        for name in ["load-07", "load-0077", "load-0x7", "lord-007"] { #expect(naming.device(named: Array(name.utf8)) == nil) }
    }
}
