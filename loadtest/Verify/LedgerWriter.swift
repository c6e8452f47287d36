import FoundationEssentials
import Glibc
import Synchronization

/// Appends to a ledger from all worker threads, whole lines at a time.
final class LedgerWriter: Sendable {
    private let path: String
    private let descriptor: Mutex<Int32>

    /// - Throws: `.file` when the file exists: the proof of another run is not overwritten.
    init(path: String, description: RunDescription) throws(LoadError) {
        self.path = path
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw LoadError(.file, "cannot create ledger \(path): \(Socket.errorText(errno))") }
        descriptor = Mutex(file)
        try append(comment: description)
    }

    deinit { descriptor.withLock { _ = close($0) } }

    static func appendLine(_ reading: AcknowledgedReading, naming: DeviceNaming, to bytes: inout [UInt8]) {
        naming.append(device: Int(reading.device), to: &bytes)
        bytes.append(UInt8(ascii: ","))
        bytes.append(decimal: reading.time)
        bytes.append(UInt8(ascii: ","))
        bytes.append(decimal: Int64(reading.sequence))
        bytes.append(UInt8(ascii: "\n"))
    }

    func append(lines: [UInt8]) throws(LoadError) {
        try descriptor.withLock { (file) throws(LoadError) in
            var head = 0
            while head < lines.count {
                let count = lines.withUnsafeBytes { write(file, $0.baseAddress! + head, lines.count - head) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw LoadError(.file, "cannot write ledger \(path): \(Socket.errorText(errno))") }
                head += count
            }
        }
    }

    func append(trailer: Ledger.Trailer) throws(LoadError) { try append(comment: trailer) }

    /// Removes the file again, for a run that never sent anything.
    func discard() { unlink(path) }

    private func append(comment: some Encodable) throws(LoadError) {
        guard let json = try? JSONEncoder().encode(comment) else { throw LoadError(.file, "cannot encode the ledger's header") }
        try append(lines: Array("# ".utf8) + Array(json) + [UInt8(ascii: "\n")])
    }
}
