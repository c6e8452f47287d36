import Telemetry
import TelemetryCodec

/// Newest values of those fields of one device that its newest row may not have: at most `Limits.latestBytesPerDevice`, beyond which the
/// oldest go. Freed by its owner.
struct LatestSlots {
    private struct Slot {
        var time: Int64
        /// As in `Cell`; for strings and binaries the address of `capacity` bytes.
        var bits: UInt64 = 0
        var field: UInt32
        var byteCount: UInt32 = 0
        var capacity: UInt32 = 0
        var type = FieldType.integer
    }

    private var base: UnsafeMutablePointer<Slot>?
    private var count: UInt16 = 0
    private var capacity: UInt16 = 0
    private var valueByteCount: UInt32 = 0

    var byteCount: Int { Int(capacity) * MemoryLayout<Slot>.stride + Int(valueByteCount) }

    mutating func deallocate() {
        guard let base else { return }
        for index in 0..<Int(count) { UnsafeMutableRawPointer(bitPattern: address(base[index]))?.deallocate() }
        base.deallocate()
        self = LatestSlots()
    }

    private func address(_ slot: Slot) -> UInt { slot.capacity > 0 ? UInt(slot.bits) : 0 }

    /// Keeps those of the row's values that are at least as new as what is known.
    mutating func update(with cells: UnsafeRawBufferPointer, time: Int64) {
        // Devices repeat their fields in order, so the next slot is usually the one.
        var next = 0
        CellWalk.forEach(cells) { field, cell in
            guard let index = find(field, from: next) ?? append(field) else { return }
            next = index + 1
            guard time >= base![index].time else { return }
            base![index].time = time
            store(cell, in: base! + index, source: cells)
        }
        while Int(valueByteCount) + Int(count) * MemoryLayout<Slot>.stride > Limits.latestBytesPerDevice { removeOldest() }
    }

    private mutating func removeOldest() {
        let oldest = (0..<Int(count)).min { base![$0].time < base![$1].time }!
        UnsafeMutableRawPointer(bitPattern: address(base![oldest]))?.deallocate()
        valueByteCount -= base![oldest].capacity
        count -= 1
        base![oldest] = base![Int(count)]
    }

    private func find(_ field: UInt32, from start: Int) -> Int? {
        guard let base else { return nil }
        let start = min(start, Int(count))
        for index in start..<Int(count) where base[index].field == field { return index }
        for index in 0..<start where base[index].field == field { return index }
        return nil
    }

    /// Nil: full; fields of a reading and of a table are limited to less.
    private mutating func append(_ field: UInt32) -> Int? {
        guard count < UInt16.max else { return nil }
        if count == capacity {
            let larger = UInt16(min(Int(UInt16.max), max(4, Int(capacity) * 2)))
            let slots = UnsafeMutablePointer<Slot>.allocate(capacity: Int(larger))
            if let base {
                slots.update(from: base, count: Int(count))
                base.deallocate()
            }
            (base, capacity) = (slots, larger)
        }
        base![Int(count)] = Slot(time: .min, field: field)
        count += 1
        return Int(count) - 1
    }

    /// One large value must not hold its memory for good, and a number needs none.
    private mutating func store(_ cell: Cell, in slot: UnsafeMutablePointer<Slot>, source: UnsafeRawBufferPointer) {
        let byteCount = cell.type!.isBytes ? cell.byteCount : 0
        let known = Int(slot.pointee.capacity)
        if byteCount > known || (known > 64 && byteCount < known / 4) || (known > 0 && !cell.type!.isBytes) {
            UnsafeMutableRawPointer(bitPattern: address(slot.pointee))?.deallocate()
            let capacity = (byteCount + 7) / 8 * 8
            valueByteCount = valueByteCount - slot.pointee.capacity + UInt32(capacity)
            slot.pointee.capacity = UInt32(capacity)
            let memory = capacity > 0 ? UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8) : nil
            slot.pointee.bits = UInt64(UInt(bitPattern: memory))
        }
        slot.pointee.type = cell.type!
        slot.pointee.byteCount = UInt32(byteCount)
        if !cell.type!.isBytes {
            slot.pointee.bits = cell.bits
        } else if byteCount > 0 {
            UnsafeMutableRawPointer(bitPattern: address(slot.pointee))!
                .copyMemory(from: source.baseAddress! + cell.byteOffset, byteCount: byteCount)
        }
    }

    func forEach(_ body: (UInt32, Int64, Cell, UnsafeRawBufferPointer) -> Void) {
        for index in 0..<Int(count) {
            let slot = base![index]
            let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address(slot)), count: Int(slot.byteCount))
            let cell = slot.type.isBytes ? Cell.bytes(slot.type, offset: 0, count: bytes.count) : Cell(type: slot.type, bits: slot.bits)
            body(slot.field, slot.time, cell, bytes)
        }
    }
}
