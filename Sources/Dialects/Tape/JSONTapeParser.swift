import CSimdjson
import Telemetry

/// JSON (RFC 8259) as a tape, by simdjson. Owns the parser's memory, which is created with the first payload.
struct JSONTapeParser: ~Copyable {
    private var parser: OpaquePointer?

    deinit {
        if let parser { json_tape_destroy(parser) }
    }

    /// - Parameter payload: followed by `JSONReadingDecoder.padding` readable bytes when `isPadded`. A byte order mark before and NULs
    ///   behind are passed over.
    /// - Returns: the payload's one value, valid until the next parse.
    mutating func parse(_ payload: UnsafeRawBufferPointer, isPadded: Bool) throws(Rejection) -> TapeValue {
        guard let start = payload.baseAddress, payload.count > 0 else { throw Rejection(.undecodable, "empty") }
        let parser = self.parser ?? json_tape_create()
        guard let parser else { throw Rejection(.undecodable, "no memory for a parser") }
        self.parser = parser
        var tokens: UnsafePointer<tape_token>?
        var message: UnsafePointer<CChar>?
        let result = json_tape_parse(parser, start.assumingMemoryBound(to: CChar.self), payload.count, isPadded, &tokens, &message)
        guard result == JSON_TAPE_OK, let tokens else {
            let sentence = message.map { String(cString: $0) } ?? "not JSON"
            throw Rejection(result == JSON_TAPE_BAD_NUMBER ? .badValue : .undecodable, sentence)
        }
        return TapeValue(token: tokens)
    }
}

/// Whether the bytes are well-formed UTF-8.
func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    return json_tape_is_utf8(start.assumingMemoryBound(to: CChar.self), bytes.count)
}
