/// A file of nothing, as large as two checkpoints: on a full disk its space lets a drop write the one it needs.
///
/// Nothing but a drop may take it: what others free so, they or a commit fill, and then expiry can never give space back.
struct Reserve {
    let fileSystem: any FileSystem
    let path: String

    /// Holds for small stores, and for those that have not written a checkpoint yet.
    private static let leastByteCount = 1 << 20

    /// Makes it, or makes it larger. When there is no room it stays as it was.
    /// - Parameter checkpointByteCount: of the newest checkpoint.
    func grow(for checkpointByteCount: Int) throws(FileError) {
        let needed = max(Reserve.leastByteCount, 2 * checkpointByteCount)
        guard let present = try fileSystem.byteCount(of: path) else { return try make(needed) }
        guard present < needed else { return }
        let file = try fileSystem.open(path, .readWrite)
        do throws(FileError) {
            try file.allocate(needed)
        } catch {
            // The kernel may have taken all that was left.
            try file.truncate(to: present)
            throw error
        }
    }

    private func make(_ byteCount: Int) throws(FileError) {
        let file = try fileSystem.open(path, .create)
        do throws(FileError) {
            try file.allocate(byteCount)
        } catch {
            try fileSystem.unlink(path)
            throw error
        }
    }

    /// - Returns: false when there is none.
    func release() throws(FileError) -> Bool {
        guard try fileSystem.exists(path) else { return false }
        try fileSystem.unlink(path)
        return true
    }
}
