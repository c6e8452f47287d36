import Glibc
import NIOCore
import NIOHTTP1

/// Signs requests to one bucket, sends them, and tries again what may pass.
///
/// Any thread but an event loop's: calls block.
struct S3Client: Sendable {
    /// Slower links are not served: each second of a request's time must move this much.
    private static let leastBytesPerSecond = 64 << 10

    /// A stop is noticed so soon.
    private static let longestSleep = Duration.milliseconds(100)

    let location: S3Location
    let options: S3Options
    private let endpoint: S3Endpoint
    private let transport: HTTPTransport
    /// Seconds since the epoch.
    private let now: @Sendable () -> Int

    init(
        _ location: S3Location, _ options: S3Options, transport: HTTPTransport = .shared(),
        now: @escaping @Sendable () -> Int = { time(nil) }
    ) throws(ObjectError) {
        try options.validate()
        self.location = location
        self.options = options
        self.now = now
        endpoint = try S3Endpoint(options, bucket: location.bucket)
        self.transport = transport
    }

    /// - Returns: an answer with a status of 2xx, and no error document in its body.
    func send(_ request: S3Request) throws(S3Failure) -> HTTPAnswer {
        var schedule = RetrySchedule(request.retry ?? options.retry)
        var hasNewCredentials = false
        while true {
            let credentials = try loadCredentials()
            do throws(S3Failure) {
                return try attempt(request, credentials)
            } catch {
                // The keys may have been replaced while the request was under way.
                if error.isRejection, !hasNewCredentials, try loadCredentials() != credentials {
                    hasNewCredentials = true
                    continue
                }
                guard error.isTransient, let pause = schedule.pause(retryAfter: error.retryAfter), sleep(pause) else { throw error }
            }
        }
    }

    private func loadCredentials() throws(S3Failure) -> S3Credentials {
        do throws(ObjectError) { return try options.credentials.load() } catch { throw S3Failure(credentials: error) }
    }

    private func attempt(_ request: S3Request, _ credentials: S3Credentials) throws(S3Failure) -> HTTPAnswer {
        let time = SigningTime(seconds: now())
        let canonical = canonicalRequest(request, credentials, time)
        let query = canonical.encodedQuery
        let url = "\(endpoint.scheme)://\(endpoint.host)\(canonical.encodedPath)\(query.isEmpty ? "" : "?" + query)"
        var headers = HTTPHeaders(canonical.headers)
        let signer = RequestSigner(credentials: credentials, region: options.region)
        headers.add(name: "authorization", value: signer.authorization(canonical, at: time))
        headers.add(name: "user-agent", value: "gaugehouse")
        let answer: HTTPAnswer
        do {
            answer = try transport.send(
                request.method.rawValue, url, headers, body: request.body, answerByteLimit: request.answerByteLimit,
                timeout: timeout(request))
        } catch {
            throw S3Failure(error)
        }
        guard (200..<300).contains(answer.status), !Self.isErrorDocument(answer, request) else {
            throw S3Failure(answer, credentials: credentials, now: now())
        }
        return answer
    }

    private func canonicalRequest(_ request: S3Request, _ credentials: S3Credentials, _ time: SigningTime) -> CanonicalRequest {
        let payloadHash = TextEncoding.hex(request.bodyDigest)
        var headers = request.headers
        headers.append(("host", endpoint.host))
        headers.append(("x-amz-date", time.timestamp))
        headers.append(("x-amz-content-sha256", payloadHash))
        if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
        return CanonicalRequest(
            method: request.method.rawValue, path: endpoint.path(request.key), query: request.query, headers: headers,
            payloadHash: payloadHash)
    }

    /// S3 begins the answer to a completion before it knows the end: an error may follow a status of 200.
    private static func isErrorDocument(_ answer: HTTPAnswer, _ request: S3Request) -> Bool {
        guard request.method == .post, let document = answer.document else { return false }
        return document.name == "Error"
    }

    private func timeout(_ request: S3Request) -> TimeAmount {
        let byteCount = (request.body?.readableBytes ?? 0) + request.answerByteLimit + request.handledByteCount
        let seconds = byteCount / Self.leastBytesPerSecond
        return .nanoseconds(Int64(options.requestTimeout / .nanoseconds(1))) + .seconds(Int64(seconds))
    }

    /// - Returns: false when the caller should stop.
    private func sleep(_ pause: Duration) -> Bool {
        let end = ContinuousClock.now + pause
        while !options.isStopped() {
            let left = end - .now
            guard left > .zero else { return true }
            // An interruption by a signal only makes one turn more.
            var turn = timespec(tv_sec: 0, tv_nsec: Int(min(left, Self.longestSleep) / .nanoseconds(1)))
            nanosleep(&turn, nil)
        }
        return false
    }
}
