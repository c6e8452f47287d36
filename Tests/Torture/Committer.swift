import Foundation
import Telemetry
import TelemetryStore

/// Commits batches of its devices in turn, now and then one of them twice, until it is told to stop.
struct Committer {
    let store: TelemetryStore
    let readings: Readings
    let stop: Stop

    func run(_ devices: [(name: String, count: Int)]) {
        var ends = devices.map(\.count)
        while !stop.isSet {
            for (index, device) in devices.enumerated() {
                let numbers = ends[index]..<(ends[index] + Int.random(in: 1...200))
                say("begin \(device.name) \(numbers.upperBound)")
                guard commit(numbers, of: device.name, stored: ends[index]) else { return }
                say("acked \(device.name) \(numbers.upperBound)")
                ends[index] = numbers.upperBound
                // As a broker that did not see the ack.
                if Int.random(in: 0..<10) == 0, !commit(numbers, of: device.name, stored: ends[index]) { return }
            }
        }
    }

    /// - Parameter stored: readings that the device has.
    /// - Returns: false: told to stop before there was space.
    private func commit(_ numbers: Range<Int>, of device: String, stored: Int) -> Bool {
        var batch = ReadingBatch()
        for number in numbers { batch.append(readings.reading(number, of: device)) }
        while true {
            do throws(StoreError) {
                let receipt = try store.commit(&batch)
                if receipt.accepted != numbers.count { fail("\(receipt.rejections.count) readings of \(device) were rejected") }
                return true
            } catch {
                guard error.code == .diskFull || error.code == .overloaded else { fail("\(error)") }
                if stop.isSet { return false }
                say("full \(device)")
                read(device, stored: stored)
                usleep(20_000)
            }
        }
    }

    /// Reads go on while the disk is full.
    private func read(_ device: String, stored: Int) {
        var query = RangeQuery(device: device, start: .distantPast, end: .distantFuture)
        query.limit = 10
        do {
            let page = try store.tables[0].range(query)
            let count = page?.times.count ?? 0
            if count == min(stored, query.limit) { say("readable \(device)") } else { say("wrong \(device): \(count) rows on a full disk") }
        } catch {
            fail("\(error)")
        }
    }
}
