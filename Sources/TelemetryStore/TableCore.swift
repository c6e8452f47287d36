import Telemetry
import TelemetryCodec

/// The state of one table and the lock that guards it.
///
/// Who writes: the log thread (applying commits) and the maintenance thread (flush, seal, drop), both under `lock` for writing; names
/// have a lock of their own, taken inside `lock` where both are needed. Readers take `lock` for reading, briefly: they collect
/// references to heads and segments and read those outside. `@unchecked Sendable` on these terms.
final class TableCore: @unchecked Sendable {
    let number: TableNumber
    let options: TableOptions
    let directory: String
    let fileSystem: any FileSystem
    let cache: FrameCache
    let compressionLevel: Int32
    let clock: any WallClock

    let lock = ReadWriteLock()
    let registry = NameRegistry()
    let gate: AdmissionGate
    /// Counts the memory of heads.
    let headMemory: MemoryGauge

    // Under `lock`:
    let states = DeviceStates()
    var partitions: [Int64: Partition] = [:]
    /// Sequence number of the newest reading applied to this table.
    var appliedSequence: SequenceNumber = 0
    /// Readings applied that were not replayed, duplicates included.
    var committedCount = 0
    var nextFlush: FlushID = 1
    /// End of the newest window that was dropped, µs: nothing older is taken or replayed.
    var droppedThrough = Int64.min
    /// Directories of dropped partitions that are still to be removed.
    var unremoved: Set<String> = []
    /// What must be delivered before a partition may be dropped, by task.
    var deliveries: [String: DeliveryScope]
    /// For the thread that applies.
    var lateRows = LateRows()
    /// Indexes, ascending, of the rows of the section applied last that are no news: duplicates, and those of a dropped partition.
    /// For the thread that applies.
    var silentRows: [UInt32] = []

    init(
        number: TableNumber, options: TableOptions, directory: String, fileSystem: any FileSystem, cache: FrameCache,
        compressionLevel: Int32, clock: any WallClock, headMemory: MemoryGauge
    ) {
        self.number = number
        self.options = options
        self.directory = directory
        self.fileSystem = fileSystem
        self.cache = cache
        self.compressionLevel = compressionLevel
        self.clock = clock
        self.headMemory = headMemory
        deliveries = Dictionary(options.requiredDeliveries.map { ($0, .everything) }) { $1 }
        gate = AdmissionGate(options.limits)
        setLimits(options.limits, uptime: .zero)
    }

    func window(of time: Int64) -> Int64 { time.floorDivided(by: options.partitionLength.microseconds) }
    func start(of id: PartitionID) -> Timestamp { Timestamp(microseconds: id.window * options.partitionLength.microseconds) }
    func end(of id: PartitionID) -> Timestamp { start(of: id) + options.partitionLength }

    /// Readings before this are expired: never returned by any read.
    func expiry(now: Timestamp) -> Timestamp { now - options.ttl }

    func writeWindow(now: Timestamp) -> WriteWindow {
        let dropped = lock.reading { droppedThrough }
        return WriteWindow(oldest: max(expiry(now: now), Timestamp(microseconds: dropped)), newest: now + options.maxFuture)
    }

    /// The partition of a window, made when there is none. Caller holds the lock for writing.
    func partitionLocked(_ window: Int64) -> Partition {
        if let partition = partitions[window] { return partition }
        let id = PartitionID(window: window)
        let partition = Partition(id: id, directory: directory + "/" + directoryName(of: id))
        partitions[window] = partition
        return partition
    }

    /// Start of the window in basic ISO 8601: `20251124T160000Z`.
    func directoryName(of id: PartitionID) -> String {
        let date = CivilDate(start(of: id))
        return padded(date.year, 4) + padded(date.month, 2) + padded(date.day, 2) + "T"
            + padded(date.hour, 2) + padded(date.minute, 2) + padded(date.second, 2) + "Z"
    }

    /// The window of a directory name; nil for other names.
    func partitionID(directoryName name: String) -> PartitionID? {
        let characters = Array(name)
        guard characters.count == 16, characters[8] == "T", characters[15] == "Z" else { return nil }
        func number(_ range: Range<Int>) -> Int? { Int(String(characters[range])) }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
            let minute = number(11..<13), let second = number(13..<15), (1...12).contains(month)
        else { return nil }
        let seconds = CivilDate.daysSinceEpoch(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
        let id = PartitionID(window: window(of: Int64(seconds) * 1_000_000))
        return directoryName(of: id) == name ? id : nil
    }
}
