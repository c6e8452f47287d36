import Synchronization
import Testing

@testable import gaugehouse_load

@Suite("Verification against a gateway")
struct VerifierTests {
    private static let minute: Int64 = 60_000_000

    private let description: RunDescription
    private let acknowledged: [AcknowledgedReading]

    init() {
        let start = Clock.epochMicroseconds()
        description = RunDescription(
            run: "r", prefix: "d-", devices: 2, connections: 1, seed: 5, payloadSize: 0, startTime: start)
        acknowledged = [0, 1].map { AcknowledgedReading(device: $0, sequence: 0, time: start + Int64($0)) }
    }

    private func verify(_ server: StandInServer) throws -> VerificationReport {
        let trailer = Ledger.Trailer(sent: [2], endTime: description.startTime + 1)
        let ledger = Ledger(description: description, acknowledged: acknowledged, trailer: trailer)
        let reader = GatewayReader(client: HTTPClient(endpoint: server.endpoint, token: nil), table: nil)
        return try Verifier(ledger: ledger, gateway: reader, patienceNanoseconds: 300_000_000).run()
    }

    private func row(_ device: Int, time: Int64) -> DeviceVerifier.Row {
        DeviceVerifier.Row(time: time, fields: description.generator.expectedFields(device: device, sequence: 0, time: time))
    }

    /// `/range` as the gateway answers it: the rows from `start` to before `end`.
    private static func page(_ rows: [DeviceVerifier.Row], _ target: String) -> String {
        func bound(_ name: String, _ other: Int64) -> Int64 {
            target.split(whereSeparator: { "?&".contains($0) }).first { $0.hasPrefix("\(name)=") }
                .flatMap { Int64($0.dropFirst(name.count + 1)) } ?? other
        }
        let shown = rows.filter { (bound("start", .min)..<bound("end", .max)).contains($0.time) }
        let names = Set(rows.flatMap(\.fields.keys)).sorted()
        func cell(_ value: JSONValue?) -> String {
            switch value {
            case .integer(let value): "\(value)"
            case .double(let value): "\(value)"
            case .boolean(let value): "\(value)"
            case .string(let value): "\"\(value)\""
            default: "null"
            }
        }
        let columns = (["time"] + names).map { "{\"name\":\"\($0)\"}" }.joined(separator: ",")
        let cells = shown.map { row in "[" + (["\(row.time)"] + names.map { cell(row.fields[$0]) }).joined(separator: ",") + "]" }
        return "{\"columns\":[\(columns)],\"rows\":[\(cells.joined(separator: ","))]}"
    }

    /// - Parameter rows: of a device, at its n-th reading from 0.
    private func server(_ rows: @escaping @Sendable (_ device: Int, _ visit: Int) -> [DeviceVerifier.Row]) -> StandInServer {
        let visits = Mutex([0, 0])
        return StandInServer { request in
            let device = request.target.contains("d-1") ? 1 : 0
            let visit = visits.withLock { visits in
                defer { visits[device] += 1 }
                return visits[device]
            }
            return (200, Self.page(rows(device, visit), request.target))
        }
    }

    private func good(_ device: Int) -> DeviceVerifier.Row { row(device, time: acknowledged[device].time) }

    @Test("what was acknowledged and is readable is equal")
    func equal() throws {
        let report = try verify(server { device, _ in [good(device)] })
        #expect(report.isEqual && report.acknowledged == 2 && report.readable == 2)
    }

    @Test("readings outside the run's time are invented", arguments: [-Clock.epochMicroseconds(), -2 * 1440 * minute, -1, minute])
    func outside(offset: Int64) throws {
        let time = description.startTime + offset
        let invented = DeviceVerifier.Row(time: time, fields: ["temperature": .double(1)])
        let report = try verify(server { device, _ in device == 1 ? [invented, good(1)].sorted { $0.time < $1.time } : [good(0)] })
        #expect(report.first.map(\.kind) == [.invented] && report.first.map(\.time) == [time])
    }

    @Test("a device found good is read again at the end", arguments: [true, false])
    func lastPass(isDoubled: Bool) throws {
        // Device 0 is good at first. While device 1 is waited for, it gains a reading or loses its own.
        let report = try verify(
            server { device, visit in
                if device == 1 { return visit == 0 ? [] : [good(1)] }
                if visit == 0 { return [good(0)] }
                return isDoubled ? [good(0), row(0, time: acknowledged[0].time + 5)] : []
            })
        #expect(report.first.map(\.kind) == [isDoubled ? .duplicate : .missing])
        #expect(report.first.allSatisfy { $0.device == description.naming.name(of: 0) } && report.differenceCount == 1)
    }

    @Test("what was wrong for a while is a difference")
    func passing() throws {
        let report = try verify(
            server { device, visit in device == 0 && visit == 0 ? [good(0), row(0, time: acknowledged[0].time + 5)] : [good(device)] })
        #expect(report.first.map(\.kind) == [.duplicate])
    }
}
