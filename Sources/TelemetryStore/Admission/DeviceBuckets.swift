import Telemetry

/// The states of `Pace` of the devices of one table, in a fixed megabyte: 8 192 sets of eight, found by a hash of the device's name.
///
/// A ninth device of a set takes the place of the one whose bucket is the fullest. A full bucket that is forgotten is the same as one
/// that is kept, so a device gets a burst it has not earned only while more than eight of its set are over their rates at once: the limit
/// may be a little laxer than configured, never stricter. The hash is seeded by the process, so that nobody can choose a name that shares
/// another device's bucket.
///
/// Not synchronized.
final class DeviceBuckets {
    private struct Slot {
        var hash: Int
        var state: Int64
    }

    static let setCount = 8_192
    static let setSize = 8

    private let slots: UnsafeMutablePointer<Slot>

    init() {
        slots = .allocate(capacity: Self.setCount * Self.setSize)
        slots.initialize(repeating: Slot(hash: 0, state: 0), count: Self.setCount * Self.setSize)
    }

    deinit { slots.deallocate() }

    /// Where the device's state is kept. Valid until the next call.
    func state(of device: UnsafeRawBufferPointer) -> UnsafeMutablePointer<Int64> {
        var hasher = Hasher()
        hasher.combine(bytes: device)
        return state(ofHash: hasher.finalize())
    }

    /// Where it is kept already; nil: nowhere, its bucket is full.
    func known(_ device: UnsafeRawBufferPointer) -> UnsafeMutablePointer<Int64>? {
        var hasher = Hasher()
        hasher.combine(bytes: device)
        let hash = hasher.finalize()
        let set = slots + (hash & (Self.setCount - 1)) * Self.setSize
        return (0..<Self.setSize).first { set[$0].hash == hash }.map { pointer(set + $0) }
    }

    /// As `state(of:)`, for tests of eviction.
    func state(ofHash hash: Int) -> UnsafeMutablePointer<Int64> {
        let set = slots + (hash & (Self.setCount - 1)) * Self.setSize
        var victim = set
        for index in 0..<Self.setSize {
            let slot = set + index
            if slot.pointee.hash == hash { return pointer(slot) }
            if slot.pointee.state < victim.pointee.state { victim = slot }
        }
        victim.pointee = Slot(hash: hash, state: 0)
        return pointer(victim)
    }

    /// No state runs further ahead than this.
    func clamp(to latest: Int64) {
        for index in 0..<Self.setCount * Self.setSize { slots[index].state = min(slots[index].state, latest) }
    }

    private func pointer(_ slot: UnsafeMutablePointer<Slot>) -> UnsafeMutablePointer<Int64> {
        UnsafeMutableRawPointer(slot).advanced(by: MemoryLayout<Slot>.offset(of: \.state)!).assumingMemoryBound(to: Int64.self)
    }
}
