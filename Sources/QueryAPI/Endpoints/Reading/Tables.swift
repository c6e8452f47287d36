import Hummingbird
import Telemetry
import TelemetryStore

/// `/api/v1/tables` and `/api/v1/partitions`.
extension API {
    func tables(_ request: APIRequest) async throws -> Response {
        let format = try timeFormat(of: request)
        let summaries = try await readers.perform { [store] in store.tables.map { $0.summary() } }
        return json { json in
            json.key("tables")
            json.array { json in summaries.forEach { json.table($0, time: format, isWhole: request.access.prefix.isEmpty) } }
        }
    }

    func partitions(_ request: APIRequest) async throws -> Response {
        let format = try timeFormat(of: request)
        let table = try table(of: request)
        let state: PartitionState? = try request.parameters.choice("state")
        let partitions = try await readers.perform { table.partitions() }
        return json { json in
            json.key("partitions")
            json.array { json in
                for partition in partitions where state == nil || partition.state == state {
                    json.partition(partition, delivery: sources.delivery(table.name, partition.id), time: format)
                }
            }
        }
    }
}

extension JSONWriter {
    /// - Parameter isWhole: with the figures of all devices together, which a token for some of them is not shown.
    fileprivate mutating func table(_ summary: TableSummary, time format: TimeFormat, isWhole: Bool) {
        let options = summary.options
        object { json in
            json.member("name", options.name)
            json.member("ttl_s", seconds: options.ttl)
            json.member("max_versions", options.maxVersions)
            json.member("buckets", options.buckets)
            json.member("partition_s", seconds: options.partitionLength)
            if isWhole {
                json.member("devices", summary.deviceCount)
                json.member("rows", summary.rowCount)
                json.member("bytes", summary.byteCount)
                json.member("oldest", summary.oldest, as: format)
                json.member("newest", summary.newest, as: format)
            }
            json.key("fields")
            json.array { json in
                for field in summary.fields {
                    json.object { json in
                        json.member("name", field.name)
                        json.member("type", field.type.name)
                    }
                }
            }
        }
    }

    fileprivate mutating func partition(_ partition: PartitionSummary, delivery: PartitionDelivery, time format: TimeFormat) {
        object { json in
            json.member("table", partition.table)
            json.member("start", partition.start, as: format)
            json.member("end", partition.end, as: format)
            json.member("state", partition.state.rawValue)
            json.member("rows", partition.rowCount)
            json.member("bytes", partition.byteCount)
            json.member("segments", partition.segmentCount)
            json.key("objects")
            json.array { json in
                for object in delivery.objects {
                    json.object { json in
                        json.member("key", object.key)
                        json.member("rows", object.rowCount)
                        json.member("bytes", object.byteCount)
                        json.member("sha256", object.sha256)
                    }
                }
            }
            json.key("last_error")
            if let error = delivery.lastError { json.string(error) } else { json.null() }
        }
    }
}
