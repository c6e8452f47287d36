import Telemetry
import TelemetryStore
struct AggregateQuestion {
    let set: DataSet
    func ask(_ table: Table, _ names: DeviceNames, _ draw: inout Draw, count: Int) throws -> [(String, Double)] { [] }
}
