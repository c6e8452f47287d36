/// What went wrong in the store, and what the caller should do about it.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// No space: not stored, not acked; try again later.
        case diskFull
        /// More unflushed data than the memory budget allows; try again later.
        case overloaded
        /// A file does not hold what was written to it. `detail` names file and offset.
        case corruption
        /// Another process holds the store.
        case locked
        /// The directory cannot be used: permissions, not a directory, made by a newer version.
        case unusable
        /// Options contradict what the store was created with.
        case configuration
        /// I/O failed in a way that leaves the disk's content unknown. The process must stop and recover by replay.
        case fatal
        /// The store was closed.
        case closed
        /// The wall clock is earlier than what the store holds; nothing is accepted until it is right.
        case clock
        /// The batch cannot be written: too large for a log record.
        case tooLarge
        /// A query asks for what cannot be: the caller's mistake.
        case invalid
        /// A query that is to be answered from memory needs the disk.
        case notInMemory
    }

    /// Where damage was found.
    package struct Position: Sendable, Equatable {
        package let file: String
        package let offset: Int
    }

    package let code: Code
    package let detail: String
    package private(set) var position: Position?

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// `.corruption` of a file at an offset, which `detail` names as well.
    static func damage(_ file: String, at offset: Int, _ what: String) -> StoreError {
        var error = StoreError(.corruption, "\(file) at offset \(offset): \(what)")
        error.position = Position(file: file, offset: offset)
        return error
    }

    package var description: String { "\(code.rawValue): \(detail)" }
}
