import Foundation
import ObjectStorage
import Telemetry
import TelemetryStore

/// What stands at the destination of one partition: `_manifests/<task>/<start of the window>/manifest.json`.
///
/// Unlike objects it is replaced, whole, whenever the partition has more of them. Readers of Parquet folders pass over names that begin
/// with `_`. Format: docs/format/manifest.md.
struct Manifest {
    private static let folder = "_manifests"

    private struct Document: Encodable {
        var version = 1
        var task: String
        var table: String
        var start: String
        var end: String
        var rows: Int
        var bytes: Int
        var dirtyFields: Int
        var minTime: String?
        var maxTime: String?
        var objects: [Object]
    }

    private struct Object: Encodable {
        var key: String
        var rows: Int
        var bytes: Int
        var sha256: String
        var minTime: String
        var maxTime: String
        var dirtyFields: Int

        init(_ object: DeliveredObject) {
            key = object.key
            rows = object.rowCount
            bytes = object.byteCount
            sha256 = hexadecimal(object.sha256)
            minTime = object.minTime.rfc3339
            maxTime = object.maxTime.rfc3339
            dirtyFields = object.dirtyFieldCount
        }
    }

    private let document: Document
    private let key: String

    /// - Parameter objects: all of the partition that the task delivered since it began, in order of their records.
    init(table: Table, task: String, intent: LedgerRecord.Intent, objects: [DeliveredObject]) {
        let (start, end) = (table.start(of: intent.partition), table.end(of: intent.partition))
        key = "\(Self.folder)/\(task)/\(start.basicText)/manifest.json"
        document = Document(
            task: task, table: table.name, start: start.rfc3339, end: end.rfc3339, rows: objects.reduce(0) { $0 + $1.rowCount },
            bytes: objects.reduce(0) { $0 + $1.byteCount }, dirtyFields: objects.reduce(0) { $0 + $1.dirtyFieldCount },
            minTime: objects.map(\.minTime).min()?.rfc3339, maxTime: objects.map(\.maxTime).max()?.rfc3339,
            objects: objects.map(Object.init))
    }

    func write(to destination: any ObjectDestination) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try destination.replace(try ObjectKey(key), with: Array(try encoder.encode(document)) + [UInt8(ascii: "\n")])
    }
}

extension Timestamp {
    /// In basic ISO 8601, to the second: a name that every file system takes.
    fileprivate var basicText: String { String(rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" }) + "Z" }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
