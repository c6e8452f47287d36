/// The bytes of a simulated file. What was only allocated is not stored: preallocated files cost nothing.
struct FileContent {
    enum Change {
        case write(Int, [UInt8])
        case truncate(Int)
        /// Never makes a file shorter.
        case allocate(Int)
    }

    private var bytes: [UInt8] = []
    private(set) var count = 0

    var whole: [UInt8] { bytes + [UInt8](repeating: 0, count: count - bytes.count) }

    mutating func apply(_ change: Change) {
        switch change {
        case .write(let offset, let data): write(data, at: offset)
        case .truncate(let count): truncate(to: count)
        case .allocate(let count): self.count = max(self.count, count)
        }
    }

    mutating func write(_ data: [UInt8], at offset: Int) {
        guard !data.isEmpty else { return }
        let end = offset + data.count
        if bytes.count < end { bytes.append(contentsOf: [UInt8](repeating: 0, count: end - bytes.count)) }
        bytes.withUnsafeMutableBytes { target in
            data.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: target[offset..<end]).copyMemory(from: $0) }
        }
        count = max(count, end)
    }

    mutating func truncate(to count: Int) {
        if bytes.count > count { bytes.removeLast(bytes.count - count) }
        self.count = count
    }

    /// - Returns: bytes read.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let end = min(count, offset + buffer.count)
        guard offset < end else { return 0 }
        let stored = max(0, min(bytes.count, end) - offset)
        if stored > 0 {
            bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + stored)])) }
        }
        for position in stored..<(end - offset) { buffer[position] = 0 }
        return end - offset
    }
}
