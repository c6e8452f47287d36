import Testing

@testable import gaugehouse_load

@Suite("JSON")
struct JSONParserTests {
    @Test("a page of rows is read, integers apart from doubles")
    func page() throws {
        let text = #" {"columns":[{"name":"time"}],"rows":[[1,-2.5,1e3,null,true,false,"a\n\"\u00e9\ud83d\ude00"],[]],"token":"x"} "#
        let page = try JSONParser.parse(Array(text.utf8))
        #expect(page["columns"]?.elements?.first?["name"]?.text == "time")
        let row: [JSONValue] = [.integer(1), .double(-2.5), .double(1_000), .null, .boolean(true), .boolean(false), .string("a\n\"é😀")]
        #expect(page["rows"] == .array([.array(row), .array([])]))
    }

    @Test(
        "what is no JSON is refused",
        arguments: ["", "{", "[1,]", "[1 2]", "{\"a\"}", "nul", "\"a", "1 1", "\"\\x\"", "--1", "[\"\u{1}\"]"])
    func refused(text: String) {
        #expect(throws: JSONParser.SyntaxError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test("nesting without end is refused, not a crash")
    func depth() {
        #expect(throws: JSONParser.SyntaxError.self) { try JSONParser.parse(Array(repeating: UInt8(ascii: "["), count: 1_000_000)) }
    }

    @Test("device ids are percent-encoded, slashes and UTF-8 too")
    func percentEncoding() {
        #expect(GatewayReader.percentEncoded("a-Z_0.~/é %") == "a-Z_0.~%2F%C3%A9%20%25")
    }

    @Test("gateway addresses", arguments: ["http://h", "http://h:8080/", "http://[::1]:8080", "http://h:1/base"])
    func goodAddress(url: String) {
        #expect(HTTPEndpoint(url: url) != nil)
    }

    @Test("other addresses are refused", arguments: ["https://h", "h:8080", "http://", "http://h:x", "http://h:99999", "http://[::1"])
    func badAddress(url: String) {
        #expect(HTTPEndpoint(url: url) == nil)
    }

    @Test("lengths of time", arguments: [("10", 10e9), ("500ms", 5e8), ("1.5s", 1.5e9), ("2m", 120e9), ("1h", 3_600e9)])
    func timeLength(text: String, nanoseconds: Double) {
        #expect(TimeLength(argument: text)?.nanoseconds == UInt64(nanoseconds))
    }

    @Test("no lengths of time", arguments: ["", "s", "-1s", "1d", "ten", "1 s"])
    func badTimeLength(text: String) {
        #expect(TimeLength(argument: text) == nil)
    }
}
