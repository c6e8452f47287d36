import Foundation
import ObjectStores
import Testing

@testable import ObjectStorage

/// A destination in the server that all tests share, below a prefix of its own, and maybe behind a proxy.
final class S3TestBed {
    let server: SeaweedFS
    let prefix = "t-\(UUID().uuidString.lowercased())"
    /// Files of keys other than the server's, if there are any.
    private var keys: URL?
    private(set) var options = S3Options()
    let proxy: FaultProxy?

    init(
        _ identity: String = "admin", server: SeaweedFS? = nil, change: (inout S3Options) -> Void = { _ in }, rule: FaultProxy.Rule? = nil
    ) throws {
        let server = try server ?? SeaweedFS.shared.get()
        self.server = server
        let proxy = try rule.map { try FaultProxy(to: server.endpoint, rule: $0) }
        self.proxy = proxy
        options.endpoint = proxy?.endpoint ?? server.endpoint
        let identity = server.identity(identity)
        options.credentials = .files(accessKeyID: identity.keyFile, secretAccessKey: identity.secretFile)
        options.partByteCount = 5 << 20
        options.multipartByteCount = 5 << 20
        options.retry.attempts = 4
        options.retry.firstPause = .milliseconds(10)
        change(&options)
    }

    deinit {
        try? proxy?.stop()
        if let keys { try? FileManager.default.removeItem(at: keys) }
    }

    /// For destinations made from now on; those made after an earlier call see the change, too.
    func writeKeys(_ key: String, _ secret: String, token: String? = nil) throws {
        let keys = keys ?? FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString)")
        self.keys = keys
        try FileManager.default.createDirectory(at: keys, withIntermediateDirectories: true)
        for (name, value) in [("id", key), ("secret", secret), ("token", token)] {
            if let value { try Data(value.utf8).write(to: keys.appendingPathComponent(name)) }
        }
        options.credentials = .files(
            accessKeyID: "\(keys.path)/id", secretAccessKey: "\(keys.path)/secret", sessionToken: token.map { _ in "\(keys.path)/token" })
    }

    /// With the options as they are now.
    func destination(bucket: String = "delivery") throws -> S3Destination {
        try S3Destination(url: "s3://\(bucket)/\(prefix)", options: options)
    }

    /// The same place without a proxy, as `admin`.
    func direct() throws -> S3Destination {
        var options = options
        options.endpoint = server.endpoint
        return try S3Destination(url: "s3://delivery/\(prefix)", options: options)
    }

    /// Ids of multipart uploads below the prefix.
    func unfinished() throws -> [String] {
        let client = try S3Client(S3Location(url: "s3://delivery"), directOptions())
        return try StaleUploads.list(client, prefix: prefix, after: nil, limit: 100).uploads.map(\.key)
    }

    private func directOptions() -> S3Options {
        var options = options
        options.endpoint = server.endpoint
        return options
    }
}

/// `count` bytes that differ from place to place and from seed to seed.
func testBytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SplitMix(state: seed)
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { bytes in
        for offset in stride(from: 0, to: count - 7, by: 8) { bytes.storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self) }
    }
    return bytes
}

extension ObjectDestination {
    /// Writes in pieces, as the writer of Parquet does.
    func put(_ bytes: [UInt8], _ key: String, owner: String = "task", pieceByteCount: Int = 3 << 20) throws {
        let upload = try upload(ObjectKey(key), owner: owner)
        try bytes.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
                try upload.write(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + pieceByteCount, bytes.count)]))
            }
        }
        try upload.commit()
    }

    func content(_ key: String) throws -> [UInt8]? {
        let key = try ObjectKey(key)
        return try stat(key).map { try read(key, offset: 0, count: $0.byteCount) }
    }
}
