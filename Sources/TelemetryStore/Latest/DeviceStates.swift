import Telemetry
import TelemetryCodec

/// What is known of each device without touching a segment: when it was heard, how much it stored, and its latest values.
///
/// Indexed by device number. Written by the thread that applies commits, under the table's write lock; read under its read lock.
/// Every update is idempotent or repeated in order by replay, so a checkpoint may be taken device by device.
struct DeviceStates: ~Copyable {
    struct Device {
        /// Commit times, µs; `firstSeen == .max`: never stored anything.
        var firstSeen: Int64 = .max
        var lastSeen: Int64 = .min
        /// Newest reading time ever: a row above it is new without a look-up.
        var maxTime: Int64 = .min
        /// Readings in segments, dropped ones included; those in heads are counted there.
        var flushedReadings: Int = 0
        var firstSlot: Int32 = 0
        var slotCount: UInt16 = 0
        var slotCapacity: UInt16 = 0
    }

    /// The newest value of one field. Bytes live in `values`, in a region of `capacity` bytes that newer values reuse.
    struct Slot {
        var time: Int64
        var cell: Cell
        var field: UInt32
        /// Offset and size of the slot's region in `values`; kept while the slot holds a number.
        var region: UInt32 = 0
        var capacity: UInt32 = 0
    }

    private(set) var devices: [Device] = []
    private var slots: [Slot] = []
    private(set) var values = RawBuffer(capacity: 4096)

    var byteCount: Int { devices.count * MemoryLayout<Device>.stride + slots.count * MemoryLayout<Slot>.stride + values.count }

    mutating func grow(to count: Int) {
        while devices.count < count { devices.append(Device()) }
    }

    mutating func restore(_ number: UInt32, _ device: Device) {
        var device = device
        (device.firstSlot, device.slotCount, device.slotCapacity) = (0, 0, 0)
        devices[Int(number)] = device
    }

    /// Notes a commit of the device, duplicate or not.
    @inline(__always)
    mutating func touch(_ number: UInt32, commitTime: Int64, time: Int64) {
        devices.withUnsafeMutableBufferPointer { devices in
            let index = Int(number)
            if commitTime < devices[index].firstSeen { devices[index].firstSeen = commitTime }
            if commitTime > devices[index].lastSeen { devices[index].lastSeen = commitTime }
            if time > devices[index].maxTime { devices[index].maxTime = time }
        }
    }

    mutating func addFlushedReadings(_ number: UInt32, _ count: Int) { devices[Int(number)].flushedReadings += count }

    func latest(_ number: UInt32) -> ArraySlice<Slot> {
        let device = devices[Int(number)]
        return slots[Int(device.firstSlot)..<(Int(device.firstSlot) + Int(device.slotCount))]
    }

    /// Keeps `cell` when it is at least as new as what is known.
    /// - Parameter hint: position of the cell in its row: devices repeat their fields in order, so the slot is usually there.
    @inline(__always)
    mutating func update(_ number: UInt32, field: UInt32, cell: Cell, time: Int64, source: UnsafeRawBufferPointer, hint: Int) {
        let device = devices[Int(number)]
        let first = Int(device.firstSlot)
        var index = first + hint
        if hint >= Int(device.slotCount) || slots[index].field != field {
            guard let found = (first..<(first + Int(device.slotCount))).first(where: { slots[$0].field == field }) else {
                append(number, field: field, cell: cell, time: time, source: source)
                return
            }
            index = found
        }
        guard time >= slots[index].time else { return }
        slots[index].time = time
        if cell.type!.isBytes {
            storeBytes(cell, in: index, source: source)
        } else {
            slots[index].cell = cell
        }
    }

    private mutating func append(_ number: UInt32, field: UInt32, cell: Cell, time: Int64, source: UnsafeRawBufferPointer) {
        var device = devices[Int(number)]
        guard device.slotCount < UInt16.max else { return }
        if device.slotCount == device.slotCapacity {
            let old = latest(number)
            device.slotCapacity = max(8, device.slotCapacity > UInt16.max / 2 ? UInt16.max : device.slotCapacity * 2)
            device.firstSlot = Int32(slots.count)
            slots.append(contentsOf: old)
            for _ in old.count..<Int(device.slotCapacity) {
                slots.append(Slot(time: .min, cell: .absent, field: .max))
            }
        }
        let index = Int(device.firstSlot) + Int(device.slotCount)
        slots[index] = Slot(time: time, cell: cell, field: field)
        device.slotCount += 1
        devices[Int(number)] = device
        if cell.type!.isBytes { storeBytes(cell, in: index, source: source) }
    }

    /// Regions double, so the bytes given up are at most as many as those in use.
    private mutating func storeBytes(_ cell: Cell, in index: Int, source: UnsafeRawBufferPointer) {
        let count = cell.byteCount
        if count > Int(slots[index].capacity) {
            let capacity = max(16, count.nextPowerOfTwo)
            slots[index].region = UInt32(values.count)
            values.reserve(capacity)
            values.count += capacity
            slots[index].capacity = UInt32(capacity)
        }
        let offset = Int(slots[index].region)
        if count > 0 {
            (values.base + offset).copyMemory(from: source.baseAddress! + cell.byteOffset, byteCount: count)
        }
        slots[index].cell = .bytes(cell.type!, offset: offset, count: count)
    }
}

extension Int {
    var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
