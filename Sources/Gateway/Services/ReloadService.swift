import Ingest
import Logging
import QueryAPI
import ServiceLifecycle
import Synchronization
import Telemetry
import TelemetryStore
import UnixSignals

/// Takes the configuration over again when SIGHUP asks for it: brokers, subscriptions, mappings, limits, tokens and the
/// server's certificate. What is wrong with it is said, and the old one stays in force, whole but for its tokens: their file is read again
/// all the same, because revoking one must not wait for a comma elsewhere.
final class ReloadService: Service {
    typealias Load = @Sendable () throws(ConfigurationError) -> GatewayConfiguration

    private struct State {
        /// As read last, without errors.
        var configuration: GatewayConfiguration
        var hasFailed = false
    }

    private let loadAgain: Load?
    private let store: TelemetryStore
    private let ingest: MQTTIngest?
    private let security: ServerSecurity
    private let notify: NotifySocket
    private let logger: Logger
    /// What holds, for options that no reload takes over.
    private let started: GatewayConfiguration
    private let state: Mutex<State>

    init(
        configuration: GatewayConfiguration, loadAgain: Load?, store: TelemetryStore, ingest: MQTTIngest?, security: ServerSecurity,
        notify: NotifySocket, logger: Logger
    ) {
        self.loadAgain = loadAgain
        self.store = store
        self.ingest = ingest
        self.security = security
        self.notify = notify
        self.logger = logger
        started = configuration
        state = Mutex(State(configuration: configuration))
    }

    /// What is in force; with what was read last and waits for the next start.
    var effective: EffectiveConfiguration { started.effective.inForce(after: state.withLock { $0.configuration.effective }) }
    /// Whether the last reload found errors.
    var hasFailed: Bool { state.withLock { $0.hasFailed } }

    func run() async throws {
        guard let loadAgain else { return await untilAskedToStop() }
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            notify.reloading()
            try await onThread(named: "reload") { [self] in reload(loadAgain) }
            notify.reloaded()
        }
    }

    /// Blocking.
    func reload(_ load: Load) {
        do throws(ConfigurationError) {
            try takeOver(try load())
        } catch {
            state.withLock { $0.hasFailed = true }
            for problem in error.problems { logger.error("reload: \(problem)") }
            logger.error("reload: the old configuration stays in force")
            security.audit.record("SIGHUP", "reload of the configuration and the certificate", "refused, the old ones stay")
            reloadTokens()
        }
    }

    /// Those of the configuration in force. A file with a mistake was named among the errors, if it is the new configuration's, too.
    private func reloadTokens() {
        guard let path = state.withLock({ $0.configuration.http.tokenFile }) else { return }
        do throws(TokenFile.Failure) {
            let tokens = try TokenFile(path: path).read().tokens
            state.withLock { $0.configuration.http.tokens = tokens }
            takeOver(tokens: tokens)
        } catch {
            logger.error("reload: token_file: \(error)")
            security.audit.record("SIGHUP", "reload of tokens", "refused, the old ones stay")
        }
    }

    private func takeOver(_ next: GatewayConfiguration) throws(ConfigurationError) {
        let current = state.withLock { $0.configuration }
        // The address is the one that was bound, whatever is written now.
        guard next.http.tokens != nil || next.http.allowsAnonymous || started.http.isLoopback else {
            let message =
                "http.token_file cannot go while the gateway listens at \(started.http.host); set http.allow_anonymous, or restart"
            throw ConfigurationError([ConfigurationProblem(place: "reload", message: message, line: 0)])
        }
        guard next.http.tls != nil || security.tls == nil || started.http.isLoopback else {
            let message = "http.tls_cert_file cannot go while the gateway listens at \(started.http.host); restart to serve without TLS"
            throw ConfigurationError([ConfigurationProblem(place: "reload", message: message, line: 0)])
        }
        do throws(MQTTIngest.InvalidSubscription) {
            try ingest?.reload(next.brokers(commitInterval: started.store.commitInterval))
        } catch {
            let message = "[[mqtt.subscription]] \(error.filter): \(error.description)"
            throw ConfigurationError([ConfigurationProblem(place: "reload", message: message, line: 0)])
        }
        // Tables that are new wait for the next start.
        for table in next.tables { store.setLimits(table.limits, table: table.name) }
        takeOver(next.http)
        state.withLock { $0 = State(configuration: next) }
        logger.notice("reload: the configuration is taken over")
        if current.brokers != next.brokers { StartReport.log(next.brokers, to: logger) }
        for warning in next.warnings { logger.warning("reload: \(warning)") }
        let waiting = next.effective.restartNeeded(since: started.effective)
        if !waiting.isEmpty { logger.warning("reload: these wait for the next start: \(waiting.joined(separator: ", "))") }
    }

    private func takeOver(_ http: HTTPConfiguration) {
        StartReport.log(http, to: logger)
        security.replace(tls: http.tls)
        security.audit.record("SIGHUP", "reload of the configuration", "taken over")
        takeOver(tokens: http.tokens)
    }

    private func takeOver(tokens: [Token]?) {
        let before = security.tokens
        guard before != tokens else { return }
        security.replace(tokens: tokens)
        let count = tokens.map { "\($0.count) token\($0.count == 1 ? "" : "s")" } ?? "no token is asked for"
        security.audit.record("SIGHUP", "reload of tokens", "\(count)\(Self.changes(from: before ?? [], to: tokens ?? []))")
    }

    /// `; new: a, b; gone: c; changed: d`
    private static func changes(from before: [Token], to after: [Token]) -> String {
        let old = Dictionary(before.map { ($0.name, $0) }) { $1 }
        let new = Dictionary(after.map { ($0.name, $0) }) { $1 }
        let kinds = [
            ("new", new.keys.filter { old[$0] == nil }), ("gone", old.keys.filter { new[$0] == nil }),
            ("changed", new.keys.filter { old[$0] != nil && old[$0] != new[$0] }),
        ]
        return kinds.filter { !$0.1.isEmpty }.map { "; \($0.0): \($0.1.sorted().joined(separator: ", "))" }.joined()
    }
}

extension GatewayConfiguration {
    /// The brokers, committing at the store's pace.
    func brokers(commitInterval: TimeSpan) -> [MQTTBroker] {
        brokers.map { broker in
            var broker = broker
            broker.options.commitInterval = commitInterval
            return broker
        }
    }
}
