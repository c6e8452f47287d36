import Telemetry
import TelemetryCodec

/// The names of one table's devices and fields and the numbers that stand for them in the log, the heads and the latest values.
///
/// A number is defined in the log before, or in the same record as, the first row that uses it: committers take numbers under the
/// lock, and the log thread writes all definitions not yet logged at the head of each group.
///
/// `@unchecked Sendable`: `names` is touched under `lock` only.
final class NameRegistry: @unchecked Sendable {
    struct Names: ~Copyable {
        var devices = NameTable()
        var fields = NameTable()
        /// `fields`' names as strings, made once.
        var fieldStrings: [String] = []
        var buckets: [UInt16] = []
        /// Newest receive time given to a device's time-less readings, µs; covers the devices up to the last that had one.
        var lastAssigned: [Int64] = []
        /// Devices that may have a name.
        var deviceLimit = Limits.devicesPerTable
        /// Names below these numbers are in the log or the checkpoint.
        var loggedDevices = 0
        var loggedFields = 0
        /// Device numbers by name; covers the first `sorted.count` devices.
        var sorted: [UInt32] = []
    }

    private let lock = ReadWriteLock()
    private var names = Names()

    func withNames<R, E: Error>(_ body: (inout Names) throws(E) -> R) throws(E) -> R {
        try lock.writing { () throws(E) in try body(&names) }
    }

    /// For look-ups: any number of threads at once.
    @inline(__always)
    func readingNames<R, E: Error>(_ body: (borrowing Names) throws(E) -> R) throws(E) -> R {
        try lock.reading { () throws(E) in try body(names) }
    }

    func device(_ name: String) -> UInt32? { readingNames { $0.devices.find(name) } }
    func field(_ name: String) -> UInt32? { readingNames { $0.fields.find(name) } }
    func deviceName(_ number: UInt32) -> String { readingNames { $0.devices.string(number) } }
    func fieldName(_ number: UInt32) -> String { readingNames { $0.fieldStrings[Int(number)] } }
    var deviceCount: Int { readingNames { $0.devices.count } }
    /// By number.
    var fieldNames: [String] { readingNames { $0.fieldStrings } }

    /// Takes the devices that came since the last listing into `sorted`. They are ordered beside the lock, on a copy of the names: the
    /// first listing after a start orders a whole fleet, and nobody could commit meanwhile.
    func updateSorted() {
        guard let copy = readingNames({ $0.copyForSorting() }) else { return }
        let sorted = copy.devices.sorted(behind: copy.sorted)
        // Another listing may have been quicker.
        withNames { if $0.sorted.count < sorted.count { $0.sorted = sorted } }
    }

    /// Number of the field, given now when it is new. For restoring a checkpoint.
    func internField(_ name: UnsafeRawBufferPointer) -> UInt32 {
        withNames { $0.fields.find(name) ?? $0.insertField(name) }
    }
}

extension NameRegistry.Names {
    /// What sorting needs to know.
    final class SortingCopy {
        let devices: NameTable
        let sorted: [UInt32]

        fileprivate init(devices: consuming NameTable, sorted: [UInt32]) {
            self.devices = devices
            self.sorted = sorted
        }
    }

    /// Nil: all devices are sorted.
    borrowing func copyForSorting() -> SortingCopy? {
        guard sorted.count < devices.count else { return nil }
        return SortingCopy(devices: devices.copyOfNames(), sorted: sorted)
    }

    mutating func insertDevice(_ name: UnsafeRawBufferPointer, bucketCount: Int) -> UInt32 {
        let number = devices.insert(name)
        buckets.append(UInt16(bucket(of: name, count: bucketCount)))
        return number
    }

    mutating func insertField(_ name: UnsafeRawBufferPointer) -> UInt32 {
        fieldStrings.append(String(decoding: name, as: UTF8.self))
        return fields.insert(name)
    }

    /// A receive time for a reading without one, above the device's last by at least 1 µs.
    mutating func assignTime(_ device: UInt32, now: Int64, lead: Int64) -> Int64 {
        while lastAssigned.count <= Int(device) { lastAssigned.append(.min) }
        // A clock that was ahead and stepped back must not carry its error on.
        let last = lastAssigned[Int(device)]
        let time = last > now &+ lead ? now : max(now, last &+ 1)
        lastAssigned[Int(device)] = time
        return time
    }
}
