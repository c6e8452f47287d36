import Delivery
import Foundation
import Ingest
import QueryAPI

/// What must hold between options: names are unique and known, halves of pairs come together.
extension ConfigurationReader {
    mutating func checkRules() {
        checkUnique("name", of: "table")
        checkUnique("name", of: "delivery")
        checkFilters()
        checkClientIDs()
        checkTables()
        checkDeliveries()
        checkMQTT()
        checkTopics()
        checkHTTP()
    }

    private func all(_ section: String) -> [SectionValues] { sections.filter { $0.section.name == section } }

    private mutating func checkUnique(_ key: String, of section: String) {
        var seen: Set<String> = []
        for values in all(section) where !seen.insert(values.text(key)).inserted {
            note("\(key): \"\(values.text(key))\" is taken by an earlier [[\(section)]]", at: values.place(of: key))
        }
    }

    private mutating func checkFilters() {
        var seen: Set<[String]> = []
        for values in all("subscription") where !seen.insert(values.path.dropLast() + [values.text("filter")]).inserted {
            note("filter: \"\(values.text("filter"))\" is taken by an earlier [[mqtt.subscription]]", at: values.place(of: "filter"))
        }
    }

    /// A broker ends the older of two connections with one client id, and what the store remembers of a session goes by it.
    private mutating func checkClientIDs() {
        var seen: Set<String> = []
        for values in all("mqtt") {
            let name = values.text("client_id")
            let names = (1...values.count("connections")).map { $0 == 1 ? name : "\(name)-\($0)" }
            for name in names where !seen.insert(name).inserted {
                note("client_id: \"\(name)\" is taken by an earlier [[mqtt]]", at: values.place(of: "client_id"))
            }
        }
    }

    private mutating func checkTables() {
        let names = all("table").map { $0.text("name") }
        for values in all("subscription") + all("delivery") {
            let name = values.text("table")
            guard !name.isEmpty, !names.contains(name) else { continue }
            let hint = nearestName(to: name, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
            note("table: there is no table \"\(name)\"\(hint)", at: values.place(of: "table"))
        }
    }

    private mutating func checkDeliveries() {
        guard let defaultTable = all("table").first?.text("name") else { return }
        for values in all("delivery") {
            let problems = DeliveryConfiguration.problems(of: values, s3: s3(of: values), defaultTable: defaultTable)
            for problem in problems { note("\(problem.option): \(problem.reason)", at: values.place(of: problem.option)) }
            if problems.isEmpty { checkAgainstTable(values) }
        }
    }

    /// The `[delivery.s3]` of a `[[delivery]]`.
    func s3(of delivery: SectionValues) -> SectionValues? { sections.first { $0.path == delivery.path + ["s3"] } }

    private mutating func checkAgainstTable(_ values: SectionValues) {
        guard let table = table(of: values), let store = all("store").first else { return }
        func check(_ step: () throws(DeliveryOptionError) -> Void) -> DeliveryOptionError? {
            do throws(DeliveryOptionError) { try step() } catch { return error }
            return nil
        }
        do throws(DeliveryOptionError) {
            let delivery = try DeliveryConfiguration(values, s3: s3(of: values), defaultTable: table.text("name"))
            let problems = [
                check { () throws(DeliveryOptionError) in
                    try delivery.options.checkPrefix(partitionLength: table.duration("partition"), buckets: table.count("buckets"))
                },
                check { () throws(DeliveryOptionError) in try delivery.checkAge(ttl: table.duration("ttl")) },
                check { () throws(DeliveryOptionError) in try delivery.checkPlace(storePath: store.text("path")) },
            ].compactMap { $0 }
            for problem in problems { note("\(problem.option): \(problem.reason)", at: values.place(of: problem.option)) }
        } catch {
            note("\(error.option): \(error.reason)", at: values.place(of: error.option))
        }
    }

    private func table(of delivery: SectionValues) -> SectionValues? {
        let (tables, name) = (all("table"), delivery.text("table"))
        return name.isEmpty ? tables.first : tables.first { $0.text("name") == name }
    }

    private mutating func checkMQTT() {
        for mqtt in all("mqtt") {
            readPassword(mqtt)
            if mqtt.text("username").isEmpty, !mqtt.text("password_file").isEmpty {
                note("password_file: a password needs a username", at: mqtt.place(of: "password_file"))
            }
            let certificate = ["tls_cert_file", "tls_key_file"].filter { !mqtt.text($0).isEmpty }
            if certificate.count == 1 {
                note("\(certificate[0]): tls_cert_file and tls_key_file come together", at: mqtt.place(of: certificate[0]))
            }
            if mqtt.text("tls_ca_file").isEmpty, !certificate.isEmpty {
                note("\(certificate[0]): TLS needs tls_ca_file", at: mqtt.place(of: certificate[0]))
            }
            checkTLSFiles(mqtt)
        }
    }

    /// Before a connection that works is given up for them.
    private mutating func checkTLSFiles(_ mqtt: SectionValues) {
        let authorities = mqtt.text("tls_ca_file") == MQTTOptions.systemCertificates ? nil : mqtt.given("tls_ca_file")
        do throws(TLSIdentity.Unusable) {
            if let authorities {
                try TLSIdentity.checkCertificates(authorities)
            }
        } catch {
            note("tls_ca_file: \(error.reason)", at: mqtt.place(of: "tls_ca_file"))
        }
        guard let certificate = mqtt.given("tls_cert_file"), let key = mqtt.given("tls_key_file") else { return }
        do throws(TLSIdentity.Unusable) {
            _ = try TLSIdentity(certificateFile: certificate, keyFile: key)
        } catch {
            note("tls_cert_file: \(error.reason)", at: mqtt.place(of: "tls_cert_file"))
        }
    }

    private mutating func readPassword(_ mqtt: SectionValues) {
        guard let file = mqtt.given("password_file") else { return }
        do {
            passwords[mqtt.path] = try FileText.read(file).trimmingCharacters(in: .newlines)
        } catch {
            note("password_file: \(file) cannot be read: \(error.reason)", at: mqtt.place(of: "password_file"))
        }
    }

    private mutating func checkTopics() {
        for values in all("subscription") {
            do {
                checkFormat(of: values, try TopicTemplate(values.text("topic"), filter: values.text("filter")))
            } catch {
                note("topic: \(error.description)", at: values.place(of: "topic"))
            }
        }
    }

    /// What the format makes impossible: every message would be a dead letter.
    private mutating func checkFormat(of values: SectionValues, _ template: TopicTemplate) {
        let format = values.text("format")
        if ["value", "state"].contains(format), template.deviceIndex == nil {
            note("topic: payloads of \(format) name no device; {device} must be in the topic", at: values.place(of: "topic"))
        }
        if format == "thingsboard-gateway", template.deviceIndex != nil {
            note("topic: payloads of \(format) name their devices; call that part {gateway}", at: values.place(of: "topic"))
        }
        let columns = values.list("columns")
        if Set(columns).count < columns.count { note("columns: a name is there twice", at: values.place(of: "columns")) }
    }
}
