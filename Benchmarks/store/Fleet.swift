/// The names of all devices: fixed width, one array.
struct DeviceNames: Sendable {
    static let byteCount = 14
    private let bytes: [UInt8]

    init(count: Int) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * Self.byteCount)
        for device in 0..<count {
            bytes.append(contentsOf: "sensor-".utf8)
            for power in [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1] { bytes.append(UInt8(48 + device / power % 10)) }
        }
        self.bytes = bytes
    }

    func withName<R>(_ device: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { all in
            body(UnsafeRawBufferPointer(rebasing: all[device * Self.byteCount..<(device + 1) * Self.byteCount]))
        }
    }

    func string(_ device: Int) -> String { withName(device) { String(decoding: $0, as: UTF8.self) } }
}

/// The readings of a range of devices in the order in which they are sent: tick by tick; late ones when they are due.
struct Fleet {
    private let set: DataSet
    private let devices: Range<Int>
    private var generators: [Generator]
    private var tick = 0
    private var index = 0
    /// What was held back, by the tick at which it is due, modulo the ring's length.
    private var held: [[(device: Int, sample: Sample)]]
    private var due: [(device: Int, sample: Sample)] = []
    private let lateLimit: UInt64
    private var random: UInt64

    init(_ set: DataSet, devices: Range<Int>) {
        self.set = set
        self.devices = devices
        generators = devices.map { Generator(device: $0, of: set) }
        held = Array(repeating: [], count: set.late > 0 ? set.latestBy + 1 : 1)
        lateLimit = UInt64(set.late * 65_536)
        random = set.seed &+ UInt64(devices.lowerBound) | 1
    }

    /// Splits the fleet among `count` committers.
    static func split(_ set: DataSet, count: Int) -> [Range<Int>] {
        (0..<count).map { set.devices * $0 / count..<set.devices * ($0 + 1) / count }
    }

    /// Time of the newest reading sent so far, and of the one before the first.
    var milliseconds: Int64 { DataSet.firstMilliseconds + Int64(tick) * set.stepMilliseconds }

    /// Nil when all have been sent.
    mutating func next() -> (device: Int, sample: Sample)? {
        // A committer may have no device.
        guard !devices.isEmpty else { return nil }
        while true {
            if let reading = due.popLast() { return reading }
            if index == devices.count {
                index = 0
                tick += 1
                takeDue()
                continue
            }
            guard tick < set.ticks else { return nil }
            let reading = (device: devices.lowerBound + index, sample: generators[index].next())
            index += 1
            if lateLimit == 0 || !isHeld(reading) { return reading }
        }
    }

    private mutating func takeDue() {
        guard lateLimit > 0 else { return }
        if tick < set.ticks {
            swap(&due, &held[tick % held.count])
        } else {
            // The end: whatever is still held comes now.
            for slot in held.indices {
                due += held[slot]
                held[slot] = []
            }
        }
    }

    private mutating func isHeld(_ reading: (device: Int, sample: Sample)) -> Bool {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        guard random & 0xFFFF < lateLimit else { return false }
        held[(tick + 1 + Int(random >> 16 % UInt64(set.latestBy))) % held.count].append(reading)
        return true
    }
}
