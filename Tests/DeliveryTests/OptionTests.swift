import ObjectStorage
import Telemetry
import Testing

@testable import Delivery

@Suite struct OptionTests {
    private func options(name: String = "archive", prefix: String = "", size: Int = 1 << 20) throws(DeliveryOptionError) -> DeliveryOptions
    {
        try DeliveryOptions(
            name: name, table: "telemetry", prefix: prefix, maxObjectByteCount: size, version: "1.2.3", build: "test")
    }

    @Test func prefixesSpeakOfTheRow() throws {
        let time = Timestamp(microseconds: 1_764_003_599_999_999)
        let prefix = try options(prefix: "$task/table=$table/$yyyy-$MM-$dd/$HH$mm/$bucket").prefix
        #expect(prefix.folder(at: time, bucket: 7) == "archive/table=telemetry/2025-11-24/1659/7")
        #expect(try options(prefix: "").prefix.folder(at: time, bucket: 0) == "")
    }

    @Test(arguments: ["$hh", "a/$", "$yyyyMM", "$Table", "a//b", "/a", "a/", "../a", "a/.b", "a/./b", "a\u{0}", "a\n"])
    func prefixesThatNameNoFolderAreRefused(prefix: String) {
        let error = #expect(throws: DeliveryOptionError.self) { try options(prefix: prefix) }
        #expect(error?.option == "prefix")
    }

    @Test func anUnknownVariableIsNamedWithTheKnownOnes() {
        let error = #expect(throws: DeliveryOptionError.self) { try options(prefix: "a/$day") }
        #expect(error?.reason == "'a/$day': unknown variable '$day'; known are $table $yyyy $MM $dd $HH $mm $task $bucket")
    }

    @Test(arguments: ["ab", "-abc", "abc-", "seventeen-letters", "Archive", "a_b", "", "äöü"])
    func namesOutsideTheirAlphabetAreRefused(name: String) {
        #expect(throws: DeliveryOptionError.self) { try options(name: name) }
    }

    @Test func sizesBelowTheLeastAreRefused() {
        #expect(throws: DeliveryOptionError.self) { try options(size: 1_000) }
    }

    @Test func objectNamesTellTaskFolderAndNumber() throws {
        #expect(try ObjectName(task: "abc", folder: "a=1/b").key(sequence: 12).text == "a=1/b/abc_0_a=1_b__00000012.parquet")
        #expect(try ObjectName(task: "abc", folder: "").key(sequence: 123_456_789).text == "abc_0___123456789.parquet")
        let error = #expect(throws: ObjectError.self) {
            try ObjectName(task: "abc", folder: String(repeating: "abcdefghi/", count: 24) + "x").key(sequence: 0)
        }
        #expect(error?.detail.contains("shorten the prefix") == true)
    }
}
