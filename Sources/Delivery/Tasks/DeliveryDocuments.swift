import Foundation
import Glibc
import TelemetryStore

/// The definitions of tasks that were created while the gateway ran: file `delivery-tasks` of the store, JSON, replaced whole.
///
/// `{"version": 1, "tasks": [{"name": "…", …}, …]}`, each as it was asked for. Source: docs/format/delivery-tasks.md.
package struct DeliveryDocuments: Sendable {
    private static let version = 1

    private let path: String
    private let fileSystem: any FileSystem

    package init(storePath: String, fileSystem: any FileSystem = RealFileSystem()) {
        path = storePath + "/delivery-tasks"
        self.fileSystem = fileSystem
    }

    /// The documents in the order of their creation; none when there is no file.
    /// - Throws: `DeliveryRefusal.failed`, naming the file.
    package func load() throws(DeliveryRefusal) -> [String] {
        let bytes = try content()
        guard !bytes.isEmpty else { return [] }
        do {
            guard let root = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any],
                let version = root["version"] as? Int, let tasks = root["tasks"] as? [[String: Any]]
            else { throw DeliveryRefusal.failed("\(path) does not hold tasks of deliveries") }
            guard version == Self.version else {
                throw DeliveryRefusal.failed("\(path): version \(version) was written by a newer gaugehouse")
            }
            return try tasks.map(Self.text)
        } catch let refusal as DeliveryRefusal {
            throw refusal
        } catch {
            throw .failed("\(path) is not JSON: \(error.localizedDescription)")
        }
    }

    /// Durable when it returns.
    func save(_ documents: [String]) throws(DeliveryRefusal) {
        do {
            let tasks = try documents.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) }
            let root: [String: Any] = ["version": Self.version, "tasks": tasks]
            let data = try JSONSerialization.data(withJSONObject: root, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            try Array(data).withUnsafeBytes { try fileSystem.replace(path, with: $0) }
        } catch {
            throw .failed("\(path) cannot be written: \(error)")
        }
    }

    private func content() throws(DeliveryRefusal) -> [UInt8] {
        do throws(FileError) {
            guard try fileSystem.exists(path) else { return [] }
            let file = try fileSystem.open(path, .read)
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: try file.byteCount(), alignment: 1)
            defer { bytes.deallocate() }
            return Array(bytes[..<(try file.read(at: 0, into: bytes))])
        } catch {
            // What is wrong with the store's own directory is for the store to say.
            if error.errno == ENOTDIR { return [] }
            throw .failed("\(path) cannot be read: \(error)")
        }
    }

    private static func text(_ object: [String: Any]) throws -> String {
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }
}
