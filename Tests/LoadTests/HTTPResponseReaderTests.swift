import Testing

@testable import gaugehouse_load

@Suite("HTTP answers")
struct HTTPResponseReaderTests {
    private static let stream = """
        HTTP/1.1 204 No Content\r\nServer: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\
        HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nB;x=y\r\ndefghijklmn\r\n0\r\n\r\n\
        HTTP/1.1 400 Bad\r\nconnection: close\r\nContent-Length: 0\r\n\r\n
        """

    @Test("answers are cut the same whatever the portions", arguments: [1, 2, 3, 7, 64, 1_000])
    func portions(size: Int) throws {
        var reader = HTTPResponseReader(peer: "x")
        var responses: [HTTPResponse] = []
        let bytes = Array(Self.stream.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { reader.feed($0) }
            while let response = try reader.next() { responses.append(response) }
        }
        #expect(responses.map(\.status) == [204, 200, 200, 400])
        #expect(responses.map { String(decoding: $0.body, as: UTF8.self) } == ["", "hello", "abcdefghijklmn", ""])
        #expect(responses.map(\.isLast) == [false, false, false, true])
    }

    @Test(
        "what is no answer is refused",
        arguments: [
            "SSH-2.0-x\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        ])
    func refused(text: String) {
        var reader = HTTPResponseReader(peer: "x")
        Array(text.utf8).withUnsafeBytes { reader.feed($0) }
        let error = #expect(throws: LoadError.self) { while try reader.next() != nil {} }
        #expect(error?.code == .badPeer)
    }
}
