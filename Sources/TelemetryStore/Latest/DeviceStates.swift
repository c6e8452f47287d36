import Telemetry
import TelemetryCodec

/// What is known of each device without touching a segment: when it was heard, how much it stored, and its latest values.
///
/// The latest values of a device are its newest row, as encoded, and beside it the newest value of each field that row does not have
/// (`LatestSlots`). Devices repeat their fields, so that most rows replace the newest one by a copy of a few bytes, and memory is the
/// row's size.
///
/// Indexed by device number. Written by the thread that applies commits, under the table's write lock; read under its read lock.
/// Every update is idempotent or repeated in order by replay, so a checkpoint may be taken device by device. All state lies behind
/// pointers: on the way of every reading, exclusivity checks of class properties would cost a tenth.
struct DeviceStates: ~Copyable {
    struct Device {
        /// Commit times, µs; `firstSeen == .max`: never stored anything.
        var firstSeen: Int64 = .max
        var lastSeen: Int64 = .min
        /// Newest reading time ever: a row above it is new without a look-up. The time of the newest row.
        var maxTime: Int64 = .min
        /// Readings ever stored, dropped ones included.
        var readingCount = 0
        fileprivate var row: UnsafeMutableRawPointer?
        fileprivate var slots = LatestSlots()
        fileprivate var rowByteCount: UInt32 = 0
        fileprivate var rowCapacity: UInt32 = 0
        /// Of `readingCount`, those in heads.
        fileprivate(set) var unflushedCount: UInt32 = 0

        var flushedReadingCount: Int { readingCount - Int(unflushedCount) }
        var isStored: Bool { firstSeen != .max }
        fileprivate var newestRow: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: row, count: Int(rowByteCount)) }
    }

    private struct Storage {
        var count = 0
        var storedCount = 0
        var newestTime = Int64.min
        var byteCount = 0
    }

    /// Devices of one page: growth never moves a device, and never doubles memory.
    private static let pageShift = 10
    private static let pageCount = (Limits.devicesPerTable >> pageShift) + 1

    private let storage: UnsafeMutablePointer<Storage>
    private let pages: UnsafeMutablePointer<UnsafeMutablePointer<Device>?>
    let types = FieldTypes()
    let changes: UnsafeMutablePointer<TypeChanges>

    init() {
        storage = .allocate(capacity: 1)
        storage.initialize(to: Storage())
        changes = .allocate(capacity: 1)
        changes.initialize(to: TypeChanges())
        pages = .allocate(capacity: DeviceStates.pageCount)
        pages.initialize(repeating: nil, count: DeviceStates.pageCount)
    }

    deinit {
        for number in 0..<storage.pointee.count {
            let device = pages[number >> DeviceStates.pageShift]! + (number & (1 << DeviceStates.pageShift - 1))
            device.pointee.row?.deallocate()
            device.pointee.slots.deallocate()
        }
        for page in 0..<DeviceStates.pageCount { pages[page]?.deallocate() }
        pages.deallocate()
        changes.deinitialize(count: 1)
        changes.deallocate()
        storage.deallocate()
    }

    var count: Int { storage.pointee.count }
    /// Devices that ever stored a reading.
    var storedCount: Int { storage.pointee.storedCount }
    /// Newest reading time of all; `.min`: none.
    var newestTime: Int64 { storage.pointee.newestTime }
    var byteCount: Int { storage.pointee.byteCount }

    /// - Parameter count: at most `Limits.devicesPerTable`.
    func grow(to count: Int) {
        while storage.pointee.count < count {
            let page = storage.pointee.count >> DeviceStates.pageShift
            if pages[page] == nil {
                let devices = UnsafeMutablePointer<Device>.allocate(capacity: 1 << DeviceStates.pageShift)
                devices.initialize(repeating: Device(), count: 1 << DeviceStates.pageShift)
                pages[page] = devices
                storage.pointee.byteCount += MemoryLayout<Device>.stride << DeviceStates.pageShift
            }
            storage.pointee.count = min(count, (page + 1) << DeviceStates.pageShift)
        }
    }

    @inline(__always)
    private func pointer(_ number: UInt32) -> UnsafeMutablePointer<Device> {
        precondition(Int(number) < storage.pointee.count)
        return pages[Int(number) >> DeviceStates.pageShift]! + (Int(number) & (1 << DeviceStates.pageShift - 1))
    }

    /// Nil: never stored anything.
    func device(_ number: UInt32) -> Device? {
        guard Int(number) < count, pointer(number).pointee.isStored else { return nil }
        return pointer(number).pointee
    }

    @inline(__always)
    func maxTime(_ number: UInt32) -> Int64 { pointer(number).pointee.maxTime }

    func restore(_ number: UInt32, firstSeen: Int64, lastSeen: Int64, maxTime: Int64, flushedReadingCount: Int) {
        let device = pointer(number)
        if !device.pointee.isStored { storage.pointee.storedCount += 1 }
        (device.pointee.firstSeen, device.pointee.lastSeen, device.pointee.maxTime) = (firstSeen, lastSeen, maxTime)
        device.pointee.readingCount = flushedReadingCount
        storage.pointee.newestTime = max(storage.pointee.newestTime, maxTime)
    }

    /// Counts readings of segments that the checkpoint did not count.
    func addFlushedReadings(_ number: UInt32, _ count: Int) { pointer(number).pointee.readingCount += count }

    /// Counts a reading that went into a head.
    @inline(__always)
    func addUnflushedReading(_ number: UInt32) {
        pointer(number).pointee.readingCount += 1
        pointer(number).pointee.unflushedCount += 1
    }

    /// Counts readings of a head that is gone, into a segment or dropped.
    func markFlushed(_ number: UInt32, _ count: Int) { pointer(number).pointee.unflushedCount -= UInt32(count) }

    // MARK: - Latest values

    /// Notes a row of the device, duplicate or not.
    /// - Parameter cells: encoded by `CellCoding`; copied.
    /// - Throws: cells that do not decode.
    @inline(__always)
    func update(_ number: UInt32, time: Int64, commitTime: Int64, cells: UnsafeRawBufferPointer, fieldCount: Int) throws(CodecError) {
        let device = pointer(number)
        let fields = try CellWalk.check(cells, against: device.pointee.newestRow, fieldCount: fieldCount, types: types)
        if fields != .same, types.hasSuspects { findTypeChanges(device, number, time: time) }
        if time >= device.pointee.maxTime {
            if fields == .different { fold(device.pointee.newestRow, time: device.pointee.maxTime, into: device) }
            keep(cells, in: device)
            device.pointee.maxTime = time
            if time > storage.pointee.newestTime { storage.pointee.newestTime = time }
        } else if fields == .different {
            // Its values are older than those of the newest row, which hides them where it has the same fields.
            fold(cells, time: time, into: device)
        }
        if commitTime < device.pointee.firstSeen {
            if !device.pointee.isStored { storage.pointee.storedCount += 1 }
            device.pointee.firstSeen = commitTime
        }
        if commitTime > device.pointee.lastSeen { device.pointee.lastSeen = commitTime }
    }

    /// Compares the row's cells of mixed fields with the device's newest values of them, unless those are newer.
    @inline(never)
    private func findTypeChanges(_ device: UnsafeMutablePointer<Device>, _ number: UInt32, time: Int64) {
        defer { types.clearSuspects() }
        guard device.pointee.isStored else { return }
        var open = Array(types.suspects)
        func meet(_ field: UInt32, _ known: FieldType?, at knownTime: Int64) {
            guard let index = open.firstIndex(where: { $0.field == field }) else { return }
            let type = FieldTypes.type(tag: open.remove(at: index).tag)
            guard knownTime <= time, let known, let type, FieldTypes.differ(known, type) else { return }
            changes.pointee.add(TypeChanges.Change(device: number, field: field, before: known, after: type, time: time))
        }
        let knownTime = device.pointee.maxTime
        CellWalk.forEach(device.pointee.newestRow) { field, cell in meet(field, cell.type, at: knownTime) }
        guard !open.isEmpty else { return }
        device.pointee.slots.forEach { field, knownTime, cell, _ in meet(field, cell.type, at: knownTime) }
    }

    /// What was found until now was known before: it came from the checkpoint and the log.
    func forgetTypeChanges() {
        types.clearSuspects()
        changes.pointee = TypeChanges()
    }

    /// Makes `cells` the newest row.
    @inline(__always)
    private func keep(_ cells: UnsafeRawBufferPointer, in device: UnsafeMutablePointer<Device>) {
        if cells.count > Int(device.pointee.rowCapacity) || isWasteful(device, cells.count) { reallocate(device, cells.count) }
        device.pointee.rowByteCount = UInt32(cells.count)
        if let source = cells.baseAddress, let row = device.pointee.row { row.copyMemory(from: source, byteCount: cells.count) }
    }

    /// One large value must not hold its memory for good.
    @inline(__always)
    private func isWasteful(_ device: UnsafeMutablePointer<Device>, _ byteCount: Int) -> Bool {
        device.pointee.rowCapacity > 256 && byteCount < Int(device.pointee.rowCapacity) / 4
    }

    private func reallocate(_ device: UnsafeMutablePointer<Device>, _ byteCount: Int) {
        let capacity = (byteCount + 7) / 8 * 8
        device.pointee.row?.deallocate()
        device.pointee.row = .allocate(byteCount: capacity, alignment: 8)
        storage.pointee.byteCount += capacity - Int(device.pointee.rowCapacity)
        device.pointee.rowCapacity = UInt32(capacity)
    }

    private func fold(_ cells: UnsafeRawBufferPointer, time: Int64, into device: UnsafeMutablePointer<Device>) {
        let before = device.pointee.slots.byteCount
        device.pointee.slots.update(with: cells, time: time)
        storage.pointee.byteCount += device.pointee.slots.byteCount - before
    }

    /// Restores one value of a checkpoint, behind `restore`.
    func restoreValue(_ number: UInt32, time: Int64, cell: UnsafeRawBufferPointer) {
        let device = pointer(number)
        guard time == device.pointee.maxTime else {
            fold(cell, time: time, into: device)
            return
        }
        let count = Int(device.pointee.rowByteCount)
        if count + cell.count > Int(device.pointee.rowCapacity) {
            let old = (row: device.pointee.row, count: count)
            device.pointee.row = nil
            reallocate(device, max(count + cell.count, 2 * count))
            if let row = old.row {
                device.pointee.row!.copyMemory(from: row, byteCount: old.count)
                row.deallocate()
            }
        }
        (device.pointee.row! + count).copyMemory(from: cell.baseAddress!, byteCount: cell.count)
        device.pointee.rowByteCount = UInt32(count + cell.count)
    }

    /// Hands each field's newest value to `body`: field, time, cell, and the bytes that a string's cell names. Fields come in no order.
    /// - Returns: false when the device never stored anything.
    @discardableResult
    func forEachLatest(_ number: UInt32, _ body: (UInt32, Int64, Cell, UnsafeRawBufferPointer) -> Void) -> Bool {
        guard Int(number) < count else { return false }
        let device = pointer(number)
        guard device.pointee.isStored else { return false }
        let (row, time) = (device.pointee.newestRow, device.pointee.maxTime)
        CellWalk.forEach(row) { field, cell in body(field, time, cell, row) }
        var hint = 0
        device.pointee.slots.forEach { field, time, cell, bytes in
            if !CellWalk.hasField(field, row, hint: &hint) { body(field, time, cell, bytes) }
        }
        return true
    }
}
