/// Device number → position, open addressing. Freed by its owner.
struct DeviceIndex {
    private struct Slot {
        /// Device number + 1, or 0 for a free slot.
        var mark: UInt32 = 0
        var position: UInt32 = 0
    }

    /// A power of two, at most three quarters full.
    private var slots: UnsafeMutablePointer<Slot>
    private var capacity = 32
    private var count = 0

    init() {
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: Slot(), count: capacity)
    }

    func deallocate() { slots.deallocate() }

    @inline(__always)
    func find(_ device: UInt32) -> Int? {
        let index = slot(of: device)
        return slots[index].mark == 0 ? nil : Int(slots[index].position)
    }

    /// The slot of a device, or the free one where it would go.
    @inline(__always)
    private func slot(of device: UInt32) -> Int {
        let mask = capacity - 1
        var index = Int(device &* 0x9E37_79B1) & mask
        while slots[index].mark != 0, slots[index].mark != device &+ 1 { index = (index + 1) & mask }
        return index
    }

    /// - Precondition: `find(device)` is nil; `device` is below 2³² − 1.
    mutating func insert(_ device: UInt32, _ position: Int) {
        if (count + 1) * 4 > capacity * 3 { grow() }
        slots[slot(of: device)] = Slot(mark: device + 1, position: UInt32(position))
        count += 1
    }

    private mutating func grow() {
        let old = UnsafeMutableBufferPointer(start: slots, count: capacity)
        capacity *= 2
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: Slot(), count: capacity)
        for known in old where known.mark != 0 { slots[slot(of: known.mark - 1)] = known }
        old.deallocate()
    }
}
