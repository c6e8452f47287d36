/// How an S3 destination is reached. What is left out is as AWS has it.
package struct S3Options: Sendable {
    package enum Addressing: String, Sendable, CaseIterable {
        /// Host style at AWS, unless the bucket's name has a dot, which no certificate covers; path style at any other endpoint.
        case automatic
        /// `https://endpoint/bucket/key`
        case path
        /// `https://bucket.endpoint/key`
        case host
    }

    /// S3's limit for every part but the last.
    package static let leastPartByteCount = 5 << 20
    /// A part, or an object that is sent at once, is held in memory.
    package static let greatestPartByteCount = 1 << 30

    /// `http://host:port` or `https://host:port`; nil: `https://s3.<region>.amazonaws.com`.
    package var endpoint: String?
    package var region = "us-east-1"
    package var addressing = Addressing.automatic
    package var credentials = S3CredentialSource.environment
    /// An upload holds one part in memory, or one object that is sent at once.
    package var partByteCount = 8 << 20
    /// Larger objects are sent in parts.
    package var multipartByteCount = 16 << 20
    package var retry = S3RetryBudget()
    /// For an answer to a request without a body. Each 64 KiB of what is sent or asked for give another second.
    package var requestTimeout = Duration.seconds(30)
    /// Whether `discardUnfinished` aborts what a crash left. It needs `s3:ListBucketMultipartUploads`; without it, the bucket should have a
    /// lifecycle rule that does the same.
    package var abortsStaleUploads = true

    /// Asked before and during the pauses between tries, from any thread: when true, nothing is tried again.
    package var isStopped: @Sendable () -> Bool = { false }

    package init() {}

    /// - Throws: `ObjectError.invalidDestination`, which says how to write the option at fault.
    func validate() throws(ObjectError) {
        let isRegion = region.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
        guard isRegion, (1...64).contains(region.utf8.count) else {
            throw ObjectError(.invalidDestination, "region '\(region)' must be written like eu-central-1: [a-z0-9-_], 1 to 64 characters")
        }
        guard (Self.leastPartByteCount...Self.greatestPartByteCount).contains(partByteCount) else {
            throw ObjectError(.invalidDestination, "a part of \(partByteCount) bytes; 5 MiB to 1 GiB are possible")
        }
        guard (0...Self.greatestPartByteCount).contains(multipartByteCount) else {
            throw ObjectError(.invalidDestination, "parts above \(multipartByteCount) bytes; 0 to 1 GiB are possible")
        }
        guard requestTimeout >= .milliseconds(100), requestTimeout <= .seconds(3_600) else {
            throw ObjectError(.invalidDestination, "a request timeout of \(requestTimeout); 100 ms to 1 h are possible")
        }
        try retry.validate()
    }
}

/// How long an operation is tried again after what may pass: no answer, 5xx, 429, SlowDown.
package struct S3RetryBudget: Sendable, Equatable {
    /// Tries of one request, the first included.
    package var attempts = 6
    /// No try begins later than this after the first.
    package var duration = Duration.seconds(60)
    /// The pause before the n-th retry is a random part of this, doubled n − 1 times, up to `greatestPause`.
    package var firstPause = Duration.milliseconds(200)
    package var greatestPause = Duration.seconds(10)

    package init() {}

    func validate() throws(ObjectError) {
        guard (1...100).contains(attempts) else { throw ObjectError(.invalidDestination, "\(attempts) attempts; 1 to 100 are possible") }
        let times: ClosedRange<Duration> = .zero ... .seconds(3_600)
        guard times.contains(duration), times.contains(firstPause), times.contains(greatestPause) else {
            throw ObjectError(.invalidDestination, "times of a retry budget are 0 to 1 h")
        }
    }
}
