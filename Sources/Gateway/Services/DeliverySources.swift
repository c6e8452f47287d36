import Delivery
import ObjectStorage
import QueryAPI
import Telemetry
import TelemetryStore

/// What the API shows of deliveries, and what it may ask of them.
extension DeliveryControl {
    init(_ deliveries: Deliveries, _ documents: DeliveryDocument) {
        self.init()
        list = { deliveries.tasks.map(DeliverySnapshot.init) + deliveries.misfits.map(DeliverySnapshot.init) }
        find = { name in
            deliveries.task(named: name).map(DeliverySnapshot.init)
                ?? deliveries.misfits.first { $0.name == name }.map(DeliverySnapshot.init)
        }
        create = { document throws(DeliveryProblem) in
            do {
                let definition = try documents.definition(document)
                try deliveries.create(definition)
                guard let created = deliveries.task(named: definition.options.name) else {
                    throw DeliveryProblem.unknown(name: definition.options.name)
                }
                return DeliverySnapshot(created)
            } catch {
                throw DeliveryProblem(error)
            }
        }
        delete = { name throws(DeliveryProblem) in
            do throws(DeliveryRefusal) { try deliveries.delete(name) } catch { throw DeliveryProblem(error) }
        }
        engines = TableEngine.allCases.map(\.rawValue)
        statement = { name, engine throws(DeliveryProblem) in
            guard let engine = TableEngine(rawValue: engine) else {
                throw .invalid(member: "engine", "must be one of \(TableEngine.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            do throws(DeliveryRefusal) { return try deliveries.statement(name, for: engine) } catch { throw DeliveryProblem(error) }
        }
        change = { name, change throws(DeliveryProblem) in
            do throws(DeliveryRefusal) {
                switch change {
                case .pause: return try deliveries.pause(name)
                case .resume: return try deliveries.resume(name)
                case .restart: return try deliveries.restart(name)
                }
            } catch {
                if case .unknown = error, let misfit = deliveries.misfits.first(where: { $0.name == name }) {
                    throw .conflict("\(name) cannot run: \(misfit.reason); mend the configuration, or delete it")
                }
                throw DeliveryProblem(error)
            }
        }
    }
}

extension DeliveryProblem {
    fileprivate init(_ error: any Error) {
        switch error {
        case let problem as DeliveryProblem: self = problem
        case let error as DeliveryOptionError: self = .invalid(member: error.option, error.reason)
        case DeliveryRefusal.unknown(let name): self = .unknown(name: name)
        case DeliveryRefusal.conflict(let reason): self = .conflict(reason)
        case DeliveryRefusal.invalid(let error): self = .invalid(member: error.option, error.reason)
        case DeliveryRefusal.failed(let reason): self = .failed(reason)
        default: self = .failed("\(error)")
        }
    }
}

extension DeliverySnapshot {
    /// A task is late when its oldest rows have been due for so long, and what is usual is over.
    private static let lateAfter = TimeSpan.minutes(5)

    fileprivate init(_ delivery: (definition: DeliveryDefinition, task: DeliveryTask)) {
        let (options, status) = (delivery.definition.options, delivery.task.status)
        self.init(
            name: options.name, table: options.table, mode: options.mode.rawValue,
            destination: delivery.definition.destination.description, prefix: options.prefix.text,
            origin: delivery.definition.origin == .configuration ? "configuration" : "api")
        phase = status.phase.rawValue
        state = status.activity.rawValue
        (error, detail) = (status.error.rawValue, status.detail)
        (syncPoint, lag) = (status.syncPoint, status.lag)
        isLate = status.lag >= Self.lateAfter
        objectCount = status.totals.objectCount
        rowCount = status.totals.rowCount
        byteCount = status.totals.byteCount
        dirtyFieldCount = status.totals.dirtyFieldCount
        lastObject = status.lastObject
        events = status.events.map { event in
            Event(
                time: event.time, kind: "\(event.kind)", error: event.kind == .failed ? event.error.rawValue : nil, detail: event.detail)
        }
    }

    fileprivate init(_ misfit: Deliveries.Misfit) {
        self.init(name: misfit.name, table: "", mode: "", destination: "", prefix: "", origin: "api")
        (state, error, detail) = ("invalid", DeliveryErrorCode.conflict.rawValue, misfit.reason)
    }
}

extension PartitionDelivery {
    /// The objects of all deliveries of the partition's table.
    init(_ deliveries: [DeliveryTask], _ partition: PartitionID) {
        self.init()
        for delivery in deliveries {
            let delivered = delivery.objects(of: partition)
            objects += delivered.map { object in
                Object(key: object.key, rowCount: object.rowCount, byteCount: object.byteCount, sha256: hexadecimal(object.sha256))
            }
            let status = delivery.status
            if status.error != .ok, delivered.isEmpty { lastError = "\(delivery.options.name): \(status.error.rawValue): \(status.detail)" }
        }
    }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
