import Dialects
import Telemetry
import Testing

/// RFC 8949, appendix A, as in github.com/cbor/test-vectors: each item as the value of a map's key `a`.
@Suite struct CBORVectorTests {
    /// `{"a": item}`
    private func item(_ hex: String) -> DecodedMessage { message(.cbor, bytes(hex: "a16161" + hex), device: "d") }

    @Test(
        arguments: [
            ("00", 0), ("01", 1), ("0a", 10), ("17", 23), ("1818", 24), ("1864", 100), ("1903e8", 1000), ("1a000f4240", 1_000_000),
            ("1b000000e8d4a51000", 1_000_000_000_000), ("20", -1), ("29", -10), ("3863", -100), ("3903e7", -1000),
            ("1b7fffffffffffffff", Int64.max), ("3b7fffffffffffffff", Int64.min), ("c11a514b67b0", 1_363_896_240),
        ] as [(String, Int64)])
    func integers(_ hex: String, _ value: Int64) {
        #expect(item(hex).readings == [Reading(device: "d", time: nil, fields: ["a": .integer(value)])])
    }

    @Test(arguments: [
        ("f90000", 0.0), ("f98000", -0.0), ("f93c00", 1.0), ("fb3ff199999999999a", 1.1), ("f93e00", 1.5), ("f97bff", 65504.0),
        ("fa47c35000", 100000.0), ("fa7f7fffff", 3.4028234663852886e+38), ("fb7e37e43c8800759c", 1.0e+300),
        ("f90001", 5.960464477539063e-08), ("f90400", 6.103515625e-05), ("f9c400", -4.0), ("fbc010666666666666", -4.1),
        ("c1fb41d452d9ec200000", 1363896240.5), ("c48221196ab3", 273.15),
    ])
    func doubles(_ hex: String, _ value: Double) {
        guard case .double(let decoded) = item(hex).readings.first?.fields["a"] else {
            Issue.record("no double")
            return
        }
        #expect(decoded.bitPattern == value.bitPattern)
    }

    @Test(arguments: [
        "f97c00", "f97e00", "f9fc00", "fa7f800000", "fa7fc00000", "faff800000", "fb7ff0000000000000", "fb7ff8000000000000",
        "fbfff0000000000000", "f6", "f7", "80", "a0", "9fff", "bfff",
    ])
    func whatIsNoValueIsLeftOut(_ hex: String) {
        #expect(item(hex).rejection?.reason == .noFields)
        let beside = message(.cbor, bytes(hex: "a26161" + hex + "616201"), device: "d")
        #expect(beside.readings.first?.fields == ["b": .integer(1)])
    }

    @Test(arguments: [
        ("f4", FieldValue.boolean(false)), ("f5", .boolean(true)),
        ("60", .string("")), ("6161", .string("a")), ("6449455446", .string("IETF")),
        ("62225c", .string("\"\\")), ("62c3bc", .string("ü")), ("63e6b0b4", .string("水")), ("64f0908591", .string("𐅑")),
        ("7f657374726561646d696e67ff", .string("streaming")), ("40", .binary([])), ("4401020304", .binary([1, 2, 3, 4])),
        ("5f42010243030405ff", .binary([1, 2, 3, 4, 5])), ("d74401020304", .binary([1, 2, 3, 4])),
        ("d818456449455446", .binary([0x64, 0x49, 0x45, 0x54, 0x46])), ("c249010000000000000000", .binary([1, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", .string("http://www.example.com")),
        ("c074323031332d30332d32315432303a30343a30305a", .string("2013-03-21T20:04:00Z")),
    ])
    func otherScalars(_ hex: String, _ value: FieldValue) {
        #expect(item(hex).readings == [Reading(device: "d", time: nil, fields: ["a": value])])
    }

    @Test(arguments: [
        "83010203", "9f010203ff", "9f0102d86403ff",
    ])
    func listsOfAnyLengthAreNumbered(_ hex: String) {
        #expect(item(hex).readings.first?.fields == ["a.0": .integer(1), "a.1": .integer(2), "a.2": .integer(3)])
    }

    @Test(arguments: ["8301820203820405", "9f018202039f0405ffff", "9f01820203820405ff", "83018202039f0405ff", "83019f0203ff820405"])
    func nestedListsAreNumberedTwice(_ hex: String) {
        let fields = ["a.0": 1, "a.1.0": 2, "a.1.1": 3, "a.2.0": 4, "a.2.1": 5] as [String: Int64]
        #expect(item(hex).readings.first?.fields == fields.mapValues { FieldValue.integer($0) })
    }

    @Test func mapsBecomeFields() {
        #expect(message(.cbor, bytes(hex: "a201020304"), device: "d").readings.first?.fields == ["1": .integer(2), "3": .integer(4)])
        let list: [String: FieldValue] = ["a": .integer(1), "b.0": .integer(2), "b.1": .integer(3)]
        #expect(message(.cbor, bytes(hex: "a26161016162820203"), device: "d").readings.first?.fields == list)
        #expect(message(.cbor, bytes(hex: "bf61610161629f0203ffff"), device: "d").readings.first?.fields == list)
        let amount: [String: FieldValue] = ["Fun": .boolean(true), "Amt": .integer(-2)]
        #expect(message(.cbor, bytes(hex: "bf6346756ef563416d7421ff"), device: "d").readings.first?.fields == amount)
        #expect(message(.cbor, bytes(hex: "d9d9f7a16161a120f5"), device: "d").readings.first?.fields == ["a.-1": .boolean(true)])
    }

    @Test(arguments: [
        ("f0", RejectReason.undecodable), ("f818", .undecodable), ("f8ff", .undecodable), ("1bffffffffffffffff", .badValue),
        ("3bffffffffffffffff", .badValue), ("c48219019001", .badValue), ("c4821b7fffffffffffffff20", .badValue),
        ("c4820102f6", .undecodable), ("c401", .undecodable),
    ])
    func whatCannotBeStoredIsRefused(_ hex: String, _ reason: RejectReason) {
        #expect(item(hex).rejection?.reason == reason)
    }

    /// Names stay valid while integer keys, tags and long lists are read before the time that follows them.
    @Test(arguments: [
        ("62747300", "1970-01-01T00:00:00Z"), ("627473c11a514b67b0", "2013-03-21T20:04:00Z"),
        ("627473c1fb41d452d9ec200000", "2013-03-21T20:04:00.500Z"),
        ("627473c074323031332d30332d32315432303a30343a30305a", "2013-03-21T20:04:00Z"),
        ("6274731b0000013d8e8d0780", "2013-03-21T20:04:00Z"),
    ])
    func timesAreReadAsTheirTagsSay(_ hex: String, _ text: String) {
        let decoded = message(.cbor, bytes(hex: "a2616101" + hex), device: "d")
        #expect(decoded.readings == [Reading(device: "d", time: time(text), fields: ["a": .integer(1)])])
    }

    @Test func aTaggedEpochIsSecondsWhateverTheUnitOfBareNumbers() {
        let tagged = message(.cbor, bytes(hex: "a2616101627473c11a514b67b0"), device: "d") { $0.timeUnit = .milliseconds }
        #expect(tagged.readings.first?.time == time("2013-03-21T20:04:00Z"))
    }
}
