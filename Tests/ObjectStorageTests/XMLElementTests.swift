import Testing

@testable import ObjectStorage

@Suite struct XMLElementTests {
    private func parse(_ text: String) throws -> XMLElement { try XMLElement.parse(Array(text.utf8)) }

    @Test func elementsHaveTheirTextsAndChildren() throws {
        let document = try parse(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- a <comment> -->
            <s3:List xmlns:s3='http://x/>'><Truncated> true
            </Truncated><Upload key="a>b"><Key>a&amp;b&#x3D;&#49;&lt;&gt;&quot;&apos;</Key><Id/></Upload>
            <Upload><Key><![CDATA[<&]]>é</Key></Upload
            ></s3:List>
            """)
        #expect(document.name == "List")
        #expect(document.value("Truncated") == "true")
        #expect(document.all("Upload").map { $0["Key"]?.text } == ["a&b=1<>\"'", "<&é"])
        #expect(document["Upload"]?["Id"] == XMLElement(name: "Id"))
        #expect(document["Upload"]?.value("Id") == nil)
    }

    @Test(arguments: [
        "", " ", "x", "<", "<>", "</a>", "<a>", "<a></b>", "<a><b></a></b>", "<a/><b/>", "<a/>x", "<a>&unknown;</a>", "<a>&#xD800;</a>",
        "<a>&#99999999;</a>", "<a>&amp</a>", "<a>&", "<a b=\"></a>", "<a <b/>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        "<a><![CDATA[x</a>",
        "<!-- <a/>", "<?xml <a/>", "<a:/>", "&lt;<a/>",
    ])
    func whatIsNotADocumentIsAnError(text: String) {
        #expect(throws: XMLElement.Failure.self) { try parse(text) }
    }

    @Test func depthCountAndLengthAreLimited() throws {
        func nested(_ depth: Int) -> String { String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth) }
        _ = try parse(nested(XMLElement.depthLimit))
        #expect(throws: XMLElement.Failure.self) { try parse(nested(XMLElement.depthLimit + 1)) }
        #expect(throws: XMLElement.Failure.self) {
            try parse("<a>" + String(repeating: "<b/>", count: XMLElement.elementCountLimit) + "</a>")
        }
        let long = "<a>" + String(repeating: "x", count: XMLElement.byteCountLimit) + "</a>"
        #expect(throws: XMLElement.Failure.self) { try parse(long) }
    }

    /// Neither trap nor hang, whatever comes. What is cut off is no document.
    @Test(arguments: [UInt64](1...8)) func damagedDocumentsAreHarmless(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let original = Array(
            "<?xml version=\"1.0\"?><Error a='1'><Code>SlowDown</Code><Message>a &amp; b &#x41;</Message><!-- c --><Empty/></Error>".utf8)
        for length in 0..<original.count { #expect(throws: XMLElement.Failure.self) { try XMLElement.parse(Array(original[..<length])) } }
        for _ in 0..<5_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[index] = .random(in: .min ... .max, using: &random)
                case 1: bytes[index] = Array("<>&;/!?[]-\"'# ".utf8).randomElement(using: &random)!
                case 2: bytes.remove(at: index)
                default: bytes.insert(contentsOf: bytes[index..<min(index + 9, bytes.count)], at: index)
                }
            }
            _ = try? XMLElement.parse(bytes)
        }
    }
}

/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators".
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
