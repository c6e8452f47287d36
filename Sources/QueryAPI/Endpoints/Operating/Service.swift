import HTTPTypes
import Hummingbird
import Telemetry
import TelemetryStore

/// What operators and probes ask: `/openapi.yaml`, `/ping`, `/-/healthy`, `/-/ready`, `/api/v1/config`, `/api/v1/stats`.
extension API {
    func openAPI(_ request: APIRequest) async throws -> Response { AssetLibrary.shared.openAPI.response(to: request.headers) }

    func ping(_ request: APIRequest) async throws -> Response {
        // The write API that is spoken here is that of InfluxDB 1.8, which has both `/write` and `/api/v2/write`.
        Response(status: .noContent, headers: [.version: options.version, .influxVersion: "1.8.0-gaugehouse-\(options.version)"])
    }

    /// The process runs and its store works; says nothing about MQTT.
    func healthy(_ request: APIRequest) async throws -> Response {
        if let failure = store.failure { throw Problem.store(failure) }
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: ResponseBody(byteBuffer: ByteBuffer(string: "ok\n")))
    }

    /// Anyone is told whether, and of which part: reasons, and what is wrong although it is ready, are for whoever may read everything.
    func ready(_ request: APIRequest) async throws -> Response {
        let unready = unreadiness
        guard !unready.isEmpty else {
            let warnings = mayReadEverything(request) ? warnings : []
            return json { json in
                json.member("ready", true)
                if !warnings.isEmpty { json.warnings(warnings) }
            }
        }
        guard mayReadEverything(request) else {
            var parts: [String] = []
            for part in unready.map(\.part) where !parts.contains(part) { parts.append(part) }
            throw Problem.unavailable(
                "not-ready", "Not ready: \(parts.joined(separator: ", ")). A token that may read everything is told why.")
        }
        throw Problem.unavailable("not-ready", unready.map(\.reason).joined(separator: "; "))
    }

    /// Of a request to a route that asks for nothing. Where there are no tokens everyone may.
    private func mayReadEverything(_ request: APIRequest) -> Bool {
        let secret = Credentials.secret(headers: request.headers, query: request.query, route: request.route)
        do throws(Problem) {
            _ = try gatekeeper.admit(.readAll) { secret }
            return true
        } catch {
            // A probe is answered all the same, whatever it shows.
            return false
        }
    }

    func configuration(_ request: APIRequest) async throws -> Response {
        Response(
            status: .ok, headers: [.contentType: AnswerFormat.json.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: sources.configuration() + [UInt8(ascii: "\n")])))
    }

    func statistics(_ request: APIRequest) async throws -> Response {
        let statistics = store.statistics
        let ingest = sources.ingest()
        let rates = sampler.rates
        let diskFree = options.dataPath.flatMap(ProcessStatistics.freeByteCount)
        let reasons = readinessReasons
        return json { json in
            json.member("ready", reasons.isEmpty)
            json.key("not_ready_reasons")
            json.array { json in reasons.forEach { json.string($0) } }
            json.warnings(warnings)
            json.member("uptime_s", sampler.uptimeSeconds)
            json.member("sequence", Int(statistics.sequence))
            json.member("messages_per_s", rates.messages)
            json.member("readings_per_s", rates.readings)
            json.member("readings", statistics.readings)
            json.member("duplicates", statistics.duplicates)
            json.counts("rejected", statistics.rejected)
            json.commitMembers(statistics)
            json.key("queue")
            json.object { json in
                json.member("commits", statistics.commitsInHand)
                json.member("reads", readers.callsInHand)
                json.member("writes", writers.callsInHand)
            }
            json.key("storage")
            json.object { json in
                json.member("log_bytes", statistics.logByteCount)
                json.member("head_bytes", statistics.headByteCount)
                json.member("segment_bytes", statistics.segmentByteCount)
                json.key("disk_free_bytes")
                if let diskFree { json.integer(Int64(diskFree)) } else { json.null() }
            }
            json.key("mqtt")
            if let ingest { json.mqtt(ingest) } else { json.null() }
        }
    }

    var readinessReasons: [String] { unreadiness.map(\.reason) }

    /// What is wrong and keeps no reading from being taken or served: a load balancer has nothing to do about it.
    private var warnings: [Unreadiness] {
        sources.deliveries.list().compactMap { delivery in
            delivery.warning.map { Unreadiness(part: "delivery", reason: $0) }
        }
    }

    private var unreadiness: [Unreadiness] {
        (store.failure.map { [Unreadiness(part: "store", reason: $0.description)] } ?? []) + sources.readiness()
    }
}

extension JSONWriter {
    fileprivate mutating func warnings(_ warnings: [Unreadiness]) {
        key("warnings")
        array { json in
            for warning in warnings {
                json.object { json in
                    json.member("part", warning.part)
                    json.member("reason", warning.reason)
                }
            }
        }
    }

    fileprivate mutating func counts(_ name: String, _ counts: [RejectReason: Int]) {
        key(name)
        object { json in
            for reason in RejectReason.allCases where counts[reason, default: 0] > 0 {
                json.member(reason.rawValue, counts[reason, default: 0])
            }
        }
    }

    fileprivate mutating func commitMembers(_ statistics: StoreStatistics) {
        key("commit")
        object { json in
            json.member("commits", statistics.commits)
            json.member("groups", statistics.groups)
            json.member("mean_sync_ms", Double(statistics.syncNanoseconds) / 1e6 / Double(max(1, statistics.groups)))
            json.member("max_sync_ms", Double(statistics.maxSyncNanoseconds) / 1e6)
        }
    }

    fileprivate mutating func mqtt(_ ingest: IngestSnapshot) {
        object { json in
            json.mqttMembers(ingest)
            json.key("brokers")
            json.array { json in
                for broker in ingest.brokers {
                    json.object { json in
                        json.member("broker", broker.name)
                        json.mqttMembers(broker.snapshot)
                    }
                }
            }
        }
    }

    private mutating func mqttMembers(_ ingest: IngestSnapshot) {
        member("connected", ingest.isConnected)
        member("messages", ingest.messages)
        member("bytes", ingest.bytes)
        member("readings", ingest.readings)
        member("reconnects", ingest.reconnects)
        counts("rejected", ingest.rejected)
        key("last_error")
        if let error = ingest.lastError { string(error) } else { null() }
    }
}
