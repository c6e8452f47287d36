import Synchronization

/// Refuses commits while less than `disk_reserve` is free, before the disk is full: what is on its way to segments and to objects, and
/// so gives space back, still finds room.
///
/// What is retained for deliveries that lag is what fills a disk: then writers wait, and nothing is dropped for them.
final class DiskGuard: Sendable {
    private let path: String
    private let reserve: Int
    private let fileSystem: any FileSystem
    /// Free bytes seen last when they were too few; -1: they are enough.
    private let shortage = Atomic(-1)

    init(path: String, reserve: Int, fileSystem: any FileSystem) {
        self.path = path
        self.reserve = reserve
        self.fileSystem = fileSystem
    }

    /// Looks at the disk; once a pass. It takes a tenth more than the reserve to take writes again, so that it does not flutter.
    func look() throws(StoreError) {
        guard reserve > 0 else { return }
        let free = try storing { () throws(FileError) in try fileSystem.freeByteCount(at: path) }
        let isShort = shortage.load(ordering: .relaxed) >= 0
        let needed = isShort ? reserve + reserve / 10 : reserve
        shortage.store(free < needed ? free : -1, ordering: .relaxed)
    }

    /// Nil: there is room.
    var problem: String? {
        let free = shortage.load(ordering: .relaxed)
        guard free >= 0 else { return nil }
        return "\(free >> 20) MiB are free at \(path), and disk_reserve is \(reserve >> 20) MiB: writes wait until there is room"
    }
}
