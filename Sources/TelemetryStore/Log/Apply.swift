import Telemetry
import TelemetryCodec

/// Makes logged readings visible. The one way in: live commits and replay run the same code over the same bytes.
extension TableCore {
    /// Applies one rows section. Caller holds the lock for writing.
    /// - Parameter rows: the section behind its header, from the log or about to be in it.
    /// - Returns: readings that said nothing new.
    func applyLocked(
        _ rows: UnsafeRawBufferPointer, count: Int, base: Int64, commitTime: Int64, firstSequence: SequenceNumber, isReplay: Bool
    ) throws(CodecError) -> Int {
        var cursor = ByteCursor(rows)
        var duplicates = 0
        var sequence = firstSequence
        var cached: (window: Int64, partition: Partition)?
        for _ in 0..<count {
            let device = UInt32(truncatingIfNeeded: try cursor.varint())
            let time = base &+ (try cursor.zigzag())
            let cells = try cursor.slice(Int(try cursor.fixed(UInt32.self)))
            let rowSequence = sequence
            sequence += 1
            let window = window(of: time)
            // Dropped, or expired between the check of its time and now: it would never be returned.
            if (window + 1) * options.partitionLength.microseconds <= droppedThrough { continue }
            if cached?.window != window { cached = (window, partitionLocked(window)) }
            if Int(device) >= states.devices.count { states.grow(to: Int(device) + 1) }
            let isFlushed = isReplay && rowSequence <= cached!.partition.flushedSequence
            if !isFlushed {
                let effect = try effect(of: cells, device: device, time: time, in: cached!.partition)
                if effect == .duplicate {
                    duplicates += 1
                } else {
                    let head = cached!.partition.headLocked(firstSequence: rowSequence, commitTime: commitTime)
                    head.append(device: device, time: time, commitTime: commitTime, cells: cells, isNew: effect == .new)
                }
            }
            states.touch(device, commitTime: commitTime, time: time)
            try updateLatest(device, time: time, cells: cells)
        }
        appliedSequence = sequence - 1
        return duplicates
    }

    private enum Effect { case new, version, duplicate }

    /// A row above all earlier times of its device is new without a look-up: the usual case.
    private func effect(
        of cells: UnsafeRawBufferPointer, device: UInt32, time: Int64, in partition: Partition
    ) throws(CodecError) -> Effect {
        if time > states.devices[Int(device)].maxTime || partition.isBehind(device: device, time: time) { return .new }
        let sources = partition.sources(device: device, times: time...time)
        if sources.isEmpty { return .new }
        scratch.removeAll()
        do throws(StoreError) {
            let name = registry.withNames { names in names.devices.withName(device) { Array($0) } }
            let bucket = registry.withNames { Int($0.buckets[Int(device)]) }
            try name.withRawBytes { (name) throws(StoreError) in
                try sources.read(bucket: bucket, device: name, times: time...time, wanted: nil, into: &scratch)
            }
        } catch {
            // A damaged block: the reading is acked and must not be lost, so it is kept as a further version. The damage itself is
            // reported by whoever reads or merges the block.
            return .version
        }
        if scratch.isEmpty { return .new }
        scratch.sortNewestFirst()
        scratch.coalesce(maxVersions: 1)
        return try equalsNewest(cells) ? .duplicate : .version
    }

    /// Compares with the one merged row in `scratch`.
    private func equalsNewest(_ cells: UnsafeRawBufferPointer) throws(CodecError) -> Bool {
        let stored = scratch.cells(of: scratch.rows[0])
        var cursor = ByteCursor(cells)
        while !cursor.isAtEnd {
            let (field, cell) = try CellCoding.decode(&cursor)
            guard let known = stored.first(where: { $0.field == field })?.cell, known.type == cell.type else { return false }
            if cell.type!.isBytes {
                let isEqual = scratch.bytes.withUnsafeBytes { arena in
                    compareBytes(
                        UnsafeRawBufferPointer(rebasing: arena[known.byteRange]),
                        UnsafeRawBufferPointer(rebasing: cells[cell.byteRange])) == 0
                }
                if !isEqual { return false }
            } else if known.bits != cell.bits {
                return false
            }
        }
        return true
    }

    private func updateLatest(_ device: UInt32, time: Int64, cells: UnsafeRawBufferPointer) throws(CodecError) {
        var cursor = ByteCursor(cells)
        var hint = 0
        while !cursor.isAtEnd {
            let (field, cell) = try CellCoding.decode(&cursor)
            states.update(device, field: field, cell: cell, time: time, source: cells, hint: hint)
            hint += 1
        }
    }
}

extension Partition {
    /// True when every row of the device here is certainly older than `time`.
    func isBehind(device: UInt32, time: Int64) -> Bool {
        frozen == nil && segments.allSatisfy { $0.footer.maxTime < time }
            && (head?.entry(of: device).map { $0.maxTime < time } ?? true)
    }

    /// The head that takes new rows. Caller holds the lock for writing.
    @inline(__always)
    func headLocked(firstSequence: SequenceNumber, commitTime: Int64) -> Head {
        if let head { return head }
        let head = Head(firstSequence: firstSequence, created: Timestamp(microseconds: commitTime))
        self.head = head
        return head
    }
}
