import Foundation
import Synchronization
import Telemetry
import TelemetryStore

/// A process that lives to be killed: it checks what its store holds, then commits as fast as it can, and says on standard output what it
/// begins and what is acked. Whoever reads that keeps the ledger; see Tests/EndToEnd/test_torture.py.
///
///     wrong <what>                     a reading is not what was written
///     stored <device> <count>          readings 0..<count of the device are there, each once
///     ready
///     begin <device> <end>             a batch up to, not including, reading `end` is handed to the store
///     acked <device> <end>             it is on disk
///     full <device>, readable <device> the disk is full; what was stored can be read
///     failed <what>                    the store cannot be opened, or gave up
@main
struct Torture {
    static let devices = ["north", "east", "south", "west"]

    static func main() {
        guard CommandLine.arguments.count == 3, let base = Int64(CommandLine.arguments[2]) else {
            fail("usage: gaugehouse-torture DIRECTORY BASE-TIME-IN-MICROSECONDS")
        }
        // Before any thread starts: all of them leave the signal to this one.
        let stop = Stop()
        let store: TelemetryStore
        do {
            store = try TelemetryStore.open(options: storeOptions(CommandLine.arguments[1]), tables: [tableOptions])
        } catch {
            fail("\(error)")
        }
        let readings = Readings(base: base)
        let counts = devices.map { Scanner(store: store, readings: readings).check($0) }
        let total = counts.reduce(0, +)
        if store.tables[0].summary().rowCount != total {
            say("wrong \(store.tables[0].summary().rowCount) rows, of which \(total) can be read")
        }
        say("ready")
        let workers = [
            Thread { maintain(store, stop) },
            Thread { Committer(store: store, readings: readings, stop: stop).run(Array(zip(devices, counts).prefix(2))) },
            Thread { Committer(store: store, readings: readings, stop: stop).run(Array(zip(devices, counts).suffix(2))) },
        ]
        for worker in workers { worker.start() }
        stop.waitForSignal()
        while workers.contains(where: { !$0.isFinished }) { usleep(1_000) }
        do { try store.close() } catch { fail("\(error)") }
    }

    /// Small files and short ages: no moment finds the store at rest.
    private static func storeOptions(_ path: String) -> StoreOptions {
        var options = StoreOptions(path: path)
        options.logFileByteCount = 256 << 10
        options.headByteBudget = 1 << 20
        options.headAge = .milliseconds(50)
        return options
    }

    private static var tableOptions: TableOptions {
        var options = TableOptions(name: "telemetry")
        options.partitionLength = .seconds(10)
        options.sealAfter = .zero
        options.requiredDeliveries = ["archive"]
        return options
    }

    /// Passes without a pause, with a delivery task that takes whatever is sealed.
    private static func maintain(_ store: TelemetryStore, _ stop: Stop) {
        let table = store.tables[0]
        while !stop.isSet {
            do throws(StoreError) {
                try store.performMaintenance()
                for due in table.deliverable(task: "archive", endingBefore: SystemClock().now()) where Bool.random() {
                    try table.markDelivering(due.id, task: "archive")
                    let scan = try table.scan(due.id, after: due.after, through: due.through)
                    while try scan.next() != nil {}
                    try table.markDelivered(due.id, task: "archive", through: due.through)
                }
            } catch {
                guard error.code == .diskFull else { fail("\(error)") }
                usleep(10_000)
            }
        }
    }
}

/// Set by SIGTERM.
final class Stop: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .relaxed) }

    /// Blocks the signal before any other thread starts, and waits for it here.
    init() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    func waitForSignal() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        var number: Int32 = 0
        sigwait(&signals, &number)
        flag.store(true, ordering: .relaxed)
    }
}

/// One line, one write: whole or not at all, even when the next instruction never comes.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(STDOUT_FILENO, bytes, bytes.count)
}

func fail(_ what: String) -> Never {
    say("failed \(what)")
    exit(1)
}
