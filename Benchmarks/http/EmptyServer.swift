import Glibc
import Hummingbird
import NIOCore

/// What Hummingbird itself can do on this machine: every request gets the same few bytes, and nothing is looked at.
///
/// The measure for `latest` in `Benchmarks/http/run`. Prints its port once it listens.
@main
struct EmptyServer {
    struct Responder: HTTPResponder {
        typealias Context = BasicRequestContext

        func respond(to request: Request, context: Context) async throws -> Response {
            Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(staticString: "ok")))
        }
    }

    static func main() async throws {
        let application = Application(
            responder: Responder(),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                print(channel.localAddress?.port ?? 0)
                fflush(nil)
            })
        try await application.run()
    }
}
