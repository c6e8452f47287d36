import Glibc

/// The files of dead letters: `000000000001.ndjson`, `000000000002.ndjson`, … in one directory, the oldest first by name, the last one
/// being written. Beside each, once letters of it were replayed, `000000000001.replayed`: see `ReplayMarks`.
enum DeadLetterFolder {
    struct File: Equatable {
        var number: Int
        var byteCount: Int
    }

    private static let digitCount = 12
    private static let lettersEnding = ".ndjson"
    private static let marksEnding = ".replayed"

    static func letters(_ number: Int, in path: String) -> String { path + "/" + padded(number) + lettersEnding }
    static func marks(_ number: Int, in path: String) -> String { path + "/" + padded(number) + marksEnding }

    /// Oldest first.
    /// - Throws: `DeadLetterFailure`, also when there is no such directory.
    static func files(in path: String) throws(DeadLetterFailure) -> [File] {
        try numbers(in: path, lettersEnding).compactMap { number in
            var status = stat()
            // Rotated away meanwhile.
            guard stat(letters(number, in: path), &status) == 0 else { return nil }
            return File(number: number, byteCount: Int(status.st_size))
        }
    }

    /// Numbers of the files of letters that have, or had, marks.
    static func marks(in path: String) throws(DeadLetterFailure) -> [Int] { try numbers(in: path, marksEnding) }

    private static func numbers(in path: String, _ ending: String) throws(DeadLetterFailure) -> [Int] {
        guard let directory = opendir(path) else { throw DeadLetterFailure("open", path) }
        defer { closedir(directory) }
        var numbers: [Int] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let number = number(ofFile: name, ending) { numbers.append(number) }
        }
        return numbers.sorted()
    }

    private static func number(ofFile name: String, _ ending: String) -> Int? {
        guard name.hasSuffix(ending), name.utf8.count == digitCount + ending.utf8.count else { return nil }
        let digits = name.dropLast(ending.count)
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(digits)
    }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, digitCount - digits.utf8.count)) + digits
    }
}

/// A file of dead letters could not be read or written.
package struct DeadLetterFailure: Error, Sendable, CustomStringConvertible {
    package let description: String
    package let errno: Int32

    init(_ call: String, _ path: String, _ error: Int32 = Glibc.errno) {
        description = "dead letters: \(call) \(path): \(String(cString: strerror(error)))"
        self.errno = error
    }

    /// Space may come back; other causes need a person.
    var isOutOfSpace: Bool { self.errno == ENOSPC || self.errno == EDQUOT }
    package var isMissing: Bool { self.errno == ENOENT }
}
