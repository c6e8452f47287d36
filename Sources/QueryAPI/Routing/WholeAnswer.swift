import HTTPTypes
import Hummingbird

/// An answer that is in memory as a whole: what can be sent without a task.
struct WholeAnswer: Sendable {
    var status = HTTPResponse.Status.ok
    var headers: HTTPFields
    var body = ByteBuffer()

    /// - Parameter contentType: nil: there is no body.
    init(status: HTTPResponse.Status = .ok, contentType: String?, headers: HTTPFields = [:], bytes: [UInt8] = []) {
        self.status = status
        self.headers = headers
        guard let contentType else { return }
        self.headers.append(HTTPField(name: .contentType, value: contentType))
        body = ByteBuffer(bytes: bytes)
    }

    var response: Response {
        Response(status: status, headers: headers, body: body.readableBytes == 0 ? ResponseBody() : ResponseBody(byteBuffer: body))
    }
}
