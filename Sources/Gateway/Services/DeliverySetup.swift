import Delivery
import Logging
import Telemetry
import TelemetryStore

/// The tasks that a gateway starts with: those of the configuration, and those created over the API before.
struct DeliverySetup {
    let definitions: [DeliveryDefinition]
    /// Created over the API, and impossible since the configuration changed.
    let misfits: [Deliveries.Misfit]
    let documents: DeliveryDocuments

    /// To be made before the store is opened, which must know what its partitions wait for.
    /// - Throws: `GatewayError` when the file of tasks cannot be read.
    init(_ configuration: GatewayConfiguration, logger: Logger) throws {
        documents = DeliveryDocuments(storePath: configuration.store.path)
        var definitions = configuration.deliveries.map {
            DeliveryDefinition(options: $0.options, destination: $0.destination, origin: .configuration, stop: $0.stop)
        }
        var misfits: [Deliveries.Misfit] = []
        let reader = DeliveryDocument(configuration)
        for document in try Self.load(documents) {
            do throws(DeliveryOptionError) {
                let definition = try reader.definition(Array(document.utf8))
                guard !definitions.contains(where: { $0.options.name == definition.options.name }) else {
                    throw DeliveryOptionError("name", "the configuration has a delivery of this name, too; that one runs")
                }
                definitions.append(definition)
            } catch {
                let name = DeliveryDocument.name(of: document)
                logger.error("delivery \(name), created over the API, cannot run: \(error)")
                misfits.append(.init(name: name, reason: error.description, document: document))
            }
        }
        (self.definitions, self.misfits) = (definitions, misfits)
    }

    /// With what their partitions wait for. Misfits count for every table: which is theirs may not be known any more.
    func tables(of configuration: GatewayConfiguration) -> [TableOptions] {
        configuration.tables.map { table in
            var table = table
            table.requiredDeliveries =
                definitions.filter { $0.options.table == table.name }.map(\.options.name) + misfits.map(\.name)
            return table
        }
    }

    private static func load(_ documents: DeliveryDocuments) throws -> [String] {
        do throws(DeliveryRefusal) {
            return try documents.load()
        } catch {
            guard case .failed(let reason) = error else { preconditionFailure("only reading can fail") }
            throw GatewayError(reason, .configuration)
        }
    }
}

extension DeliveryDocument {
    init(_ configuration: GatewayConfiguration) {
        self.init(tables: configuration.tables, s3: configuration.s3, storePath: configuration.store.path)
    }
}
