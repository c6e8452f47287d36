import Telemetry
import TelemetryStore

/// Records as `gaugehouse dump` shows them.
extension LedgerRecord {
    var kindName: String {
        switch self {
        case .intent: "intent"
        case .staged: "staged"
        case .recorded: "recorded"
        case .delivered: "delivered"
        case .slice: "slice"
        case .begin: "begin"
        case .restart: "restart"
        case .paused(let isPaused): isPaused ? "paused" : "resumed"
        case .event: "event"
        }
    }

    var text: String {
        switch self {
        case .intent(let intent):
            "window \(intent.partition.window), flushes behind \(intent.after) through \(intent.through), "
                + "folder \(intent.folder.debugDescription)"
        case .staged(let staged):
            "window \(staged.partition.window), object \(staged.object.sequence) \(staged.object.key.debugDescription), "
                + "\(staged.object.rowCount) rows, \(staged.object.byteCount) bytes, to bucket \(staged.end.bucket), "
                + "device \(staged.end.device.debugDescription), \(staged.end.time.rfc3339)"
                + (staged.object.dirtyFieldCount == 0 ? "" : ", \(staged.object.dirtyFieldCount) dirty fields")
        case .recorded(let partition), .delivered(let partition): "window \(partition.window)"
        case .slice(let partition, let index): "window \(partition.window), from slice \(index)"
        case .begin(let begin):
            begin.line.sorted { $0.key < $1.key }.reduce("mode \(begin.mode.rawValue), table \(begin.table.debugDescription)") {
                $0 + ", window \($1.key.window) through flush \($1.value)"
            }
        case .restart, .paused: ""
        case .event(let event):
            "\(event.time.rfc3339) \(event.kind)" + (event.error == .ok ? "" : " \(event.error.rawValue)")
                + (event.detail.isEmpty ? "" : ": \(event.detail.debugDescription)")
        }
    }
}
