import Telemetry
import TelemetryCodec

/// Makes logged readings visible. The one way in: live commits and replay run the same code over the same bytes.
extension TableCore {
    /// Applies one rows section. Caller holds the lock for writing.
    /// - Parameter rows: the section behind its header, from the log or about to be in it.
    /// - Returns: readings that said nothing new.
    /// - Throws: bytes that no encoder writes; rows before them are applied.
    func applyLocked(
        _ rows: UnsafeRawBufferPointer, count: Int, base: Int64, commitTime: Int64, firstSequence: SequenceNumber, isReplay: Bool
    ) throws(CodecError) -> Int {
        let (deviceCount, fieldCount) = registry.readingNames { ($0.devices.count, $0.fields.count) }
        states.grow(to: deviceCount)
        var cursor = ByteCursor(rows)
        var duplicates = 0
        if !silentRows.isEmpty { silentRows.removeAll(keepingCapacity: true) }
        var target = Target()
        for index in 0..<count {
            let device = try cursor.varint()
            let time = base &+ (try cursor.zigzag())
            let cells = try cursor.slice(Int(try cursor.fixed(UInt32.self)))
            guard device < UInt64(deviceCount), cells.count > 0 else { throw .malformed }
            let sequence = firstSequence + UInt64(index)
            if !target.times.contains(time) { target = try self.target(of: time) }
            // Dropped, or expired between the check of its time and now: it would never be returned.
            if target.isDropped {
                silentRows.append(UInt32(index))
                continue
            }
            let number = UInt32(truncatingIfNeeded: device)
            let maxTime = states.maxTime(number)
            // Checks the cells: nothing else looks at them before they are kept.
            try states.update(number, time: time, commitTime: commitTime, cells: cells, fieldCount: fieldCount)
            if isReplay && sequence <= target.flushedSequence { continue }
            // A row above all earlier times of its device is new without a look-up: the usual case.
            let effect = time > maxTime ? LateRows.Effect.new : lateEffect(of: cells, device: number, time: time, in: target)
            guard effect != .duplicate else {
                duplicates += 1
                silentRows.append(UInt32(index))
                continue
            }
            if target.head == nil { target.head = head(of: target, firstSequence: sequence, commitTime: commitTime) }
            target.head!.append(device: number, time: time, commitTime: commitTime, cells: cells, isNew: effect == .new)
            if effect == .new { states.addUnflushedReading(number) }
        }
        appliedSequence = firstSequence + UInt64(count) - 1
        if !isReplay { committedCount += count }
        return duplicates
    }

    /// Where the rows of one window go; kept from row to row.
    private struct Target {
        /// Empty before the first row.
        var times = Int64(0)..<0
        var isDropped = false
        var flushedSequence: SequenceNumber = 0
        var partition: Partition?
        var head: HeadAppender?
    }

    private func target(of time: Int64) throws(CodecError) -> Target {
        // Far beyond every write window; keeps the arithmetic below from overflowing.
        guard abs(time / 2) < Int64.max / 4 else { throw .malformed }
        let length = options.partitionLength.microseconds
        let window = window(of: time)
        let times = (window * length)..<((window + 1) * length)
        if times.upperBound <= droppedThrough { return Target(times: times, isDropped: true) }
        let partition = partitionLocked(window)
        return Target(
            times: times, flushedSequence: partition.flushedSequence, partition: partition, head: partition.head?.appender)
    }

    private func head(of target: Target, firstSequence: SequenceNumber, commitTime: Int64) -> HeadAppender {
        let head = Head(firstSequence: firstSequence, created: Timestamp(microseconds: commitTime), gauge: headMemory)
        target.partition!.head = head
        return head.appender
    }

    @inline(never)
    private func lateEffect(of cells: UnsafeRawBufferPointer, device: UInt32, time: Int64, in target: Target) -> LateRows.Effect {
        lateRows.effect(of: cells, device: device, time: time, in: target.partition!, of: self)
    }
}
