import Dialects
import Glibc
import Synchronization
import Telemetry

/// A message that was refused, for the dead-letter file. Pointers are valid during the append only.
struct DeadLetter {
    var rejection: Rejection
    var topic: UnsafeRawBufferPointer
    /// The first `MessageIntake.keptPayloadByteCount` bytes at least.
    var payload: UnsafeRawBufferPointer
    var payloadByteCount: Int
}

/// Where refused messages are kept: JSON lines, bounded, with one predecessor (`<path>.1`).
///
/// A line is `{"time","topic","reason","detail","payload"}`; a payload that is no UTF-8 stands in `payload_base64` instead, and one that
/// was cut has its true size in `payload_bytes`. Lines are written before the messages are acked. They are not synced one by one: what
/// was written outlives the process, but a power cut may take the last half minute of them, which only the dead letters can lose.
package final class DeadLetterFile: Sendable {
    /// The file could not be written.
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package let description: String
        /// Space may come back; other causes need a person.
        let isOutOfSpace: Bool
    }

    private struct State {
        var descriptor: Int32 = -1
        var byteCount = 0
        var line: [UInt8] = []
    }

    /// Payload bytes in a line.
    static let payloadLimit = MessageIntake.keptPayloadByteCount

    private let path: String
    private let byteLimit: Int
    private let clock: any WallClock
    private let state = Mutex(State())

    /// - Parameter byteLimit: of the file; its predecessor takes as much again.
    package init(path: String, byteLimit: Int = 16 << 20, clock: any WallClock = SystemClock()) {
        self.path = path
        self.byteLimit = byteLimit
        self.clock = clock
    }

    deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

    /// Appends the letters, each a whole line or not at all.
    func append(_ letters: [DeadLetter]) throws(Failure) {
        let time = clock.now().rfc3339
        try state.withLock { state throws(Failure) in
            for letter in letters {
                state.line.removeAll(keepingCapacity: true)
                Self.encode(letter, time: time, into: &state.line)
                try write(&state)
            }
        }
    }

    private func write(_ state: inout State) throws(Failure) {
        if state.descriptor >= 0, state.byteCount + state.line.count > byteLimit, state.byteCount > 0 {
            close(state.descriptor)
            state.descriptor = -1
            guard rename(path, path + ".1") == 0 else { throw failure("rename") }
        }
        if state.descriptor < 0 { try open(&state) }
        let written = state.line.withUnsafeBytes { Glibc.write(state.descriptor, $0.baseAddress, $0.count) }
        guard written == state.line.count else {
            let error = written < 0 ? errno : ENOSPC
            // Half a line would spoil the next one.
            if written > 0 { ftruncate(state.descriptor, state.byteCount) }
            throw failure("write", error)
        }
        state.byteCount += written
    }

    private func open(_ state: inout State) throws(Failure) {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw failure("open") }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = errno
            close(descriptor)
            throw failure("stat", error)
        }
        state.descriptor = descriptor
        state.byteCount = Int(status.st_size)
    }

    private func failure(_ call: String, _ error: Int32 = errno) -> Failure {
        Failure(
            description: "dead letters: \(call) \(path): \(String(cString: strerror(error)))",
            isOutOfSpace: error == ENOSPC || error == EDQUOT)
    }

    private static func encode(_ letter: DeadLetter, time: String, into line: inout [UInt8]) {
        let payload = UnsafeRawBufferPointer(rebasing: letter.payload.prefix(payloadLimit))
        line.append(text: "{\"time\":\"\(time)\",\"topic\":")
        line.append(jsonString: letter.topic)
        line.append(text: ",\"reason\":\"\(letter.rejection.reason.rawValue)\",\"detail\":")
        var detail = letter.rejection.detail
        detail.withUTF8 { line.append(jsonString: UnsafeRawBufferPointer($0)) }
        if payload.count < letter.payloadByteCount { line.append(text: ",\"payload_bytes\":\(letter.payloadByteCount)") }
        if String(validating: payload, as: UTF8.self) != nil {
            line.append(text: ",\"payload\":")
            line.append(jsonString: payload)
        } else {
            line.append(text: ",\"payload_base64\":\"")
            line.append(base64: payload)
            line.append(UInt8(ascii: "\""))
        }
        line.append(text: "}\n")
    }
}
