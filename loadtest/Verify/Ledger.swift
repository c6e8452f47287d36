import FoundationEssentials
import Glibc

/// A text file of every acknowledged reading, for checks from outside and after a crash of the gateway.
///
///     # {"run":…}                      the RunDescription, as JSON
///     device,time,sequence             one line per PUBACK; time in µs since the epoch, as in the payload
///     # {"sent":[…],"end_us":…}        how many messages each connection sent; missing when the generator was killed
struct Ledger: Sendable {
    struct Trailer: Codable, Equatable, Sendable {
        /// Messages sent, by connection, acknowledged or not.
        var sent: [Int]
        /// No reading of the run is newer: µs since the epoch.
        var endTime: Int64

        enum CodingKeys: String, CodingKey {
            case sent
            case endTime = "end_us"
        }
    }

    var description: RunDescription
    var acknowledged: [AcknowledgedReading]
    /// Nil: the run did not come to its end.
    var trailer: Trailer?

    /// - Throws: `.file` with the line number for anything that is not a ledger.
    static func read(path: String) throws(LoadError) -> Ledger {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw LoadError(.file, "cannot read ledger \(path)") }
        return try parse(Array(data), name: path)
    }

    /// A last line without a newline was cut by a crash and does not count.
    static func parse(_ bytes: [UInt8], name: String) throws(LoadError) -> Ledger {
        var ledger: Ledger?
        var lineNumber = 0
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = bytes[start..<end]
            (start, lineNumber) = (end + 1, lineNumber + 1)
            let isUnderstood: Bool
            if line.first == UInt8(ascii: "#") {
                isUnderstood = readComment(line.dropFirst(), into: &ledger)
            } else if let reading = ledger.flatMap({ reading(line, naming: $0.description.naming) }) {
                ledger!.acknowledged.append(reading)
                isUnderstood = true
            } else {
                isUnderstood = false
            }
            guard isUnderstood else { throw LoadError(.file, "\(name):\(lineNumber): not a line of a gaugehouse-load ledger") }
        }
        guard let ledger else { throw LoadError(.file, "\(name): not a gaugehouse-load ledger: its first line is missing") }
        return ledger
    }

    /// The first comment is the description, the second one the trailer.
    private static func readComment(_ json: ArraySlice<UInt8>, into ledger: inout Ledger?) -> Bool {
        if ledger == nil {
            guard let description = try? JSONDecoder().decode(RunDescription.self, from: Data(json)) else { return false }
            ledger = Ledger(description: description, acknowledged: [], trailer: nil)
        } else {
            guard let trailer = try? JSONDecoder().decode(Trailer.self, from: Data(json)) else { return false }
            ledger!.trailer = trailer
        }
        return true
    }

    private static func reading(_ line: ArraySlice<UInt8>, naming: DeviceNaming) -> AcknowledgedReading? {
        let name = line.prefix(naming.byteCount)
        let numbers = line.dropFirst(naming.byteCount).split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard let device = naming.device(named: name), numbers.count == 3, numbers[0].isEmpty,
            let time = Int64(String(decoding: numbers[1], as: UTF8.self)),
            let sequence = UInt32(String(decoding: numbers[2], as: UTF8.self))
        else { return nil }
        return AcknowledgedReading(device: UInt32(device), sequence: sequence, time: time)
    }
}
