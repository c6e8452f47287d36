import HTTPTypes
import Telemetry
import TelemetryStore
import Testing

@testable import QueryAPI

/// `/openapi.yaml` names what there is: every route and its parameters.
@Suite struct OpenAPITests {
    /// What the document says of one path and method: the lines below them.
    private static func operations(_ text: String) -> [String: [String]] {
        var operations: [String: [String]] = [:]
        var (path, shared, operation) = ("", [String](), "")
        let paths = text.split(separator: "\n").drop { $0 != "paths:" }.dropFirst().prefix { $0.hasPrefix(" ") }
        for line in paths {
            let indentation = line.prefix { $0 == " " }.count
            let name = line.drop { $0 == " " }.prefix { $0 != ":" }
            switch indentation {
            case 2: (path, shared, operation) = (String(name), [], "")
            case 4 where name == "parameters": operation = ""
            case 4:
                operation = "\(name.uppercased()) \(path)"
                operations[operation] = shared
            default:
                if operation.isEmpty { shared.append(String(line)) } else { operations[operation]?.append(String(line)) }
            }
        }
        return operations
    }

    @Test func everyRouteAndParameterIsDocumentedAndNothingElse() async throws {
        try await TestBed.run { bed in
            let answer = try await bed.get("/openapi.yaml")
            #expect(answer.headers[.contentType] == "application/yaml")
            #expect(answer.text.hasPrefix("openapi: 3.1.0\n"))
            var operations = Self.operations(answer.text)
            // What stands under components/parameters, by its name in a query.
            let references = ["pageToken": "page_token", "influxPrecision": "precision", "deliveryName": "name"]
            let api = API(options: QueryOptions(), store: bed.store, sources: QuerySources(), clock: bed.clock)
            // The dashboard's files are its own matter.
            for route in api.routes where !route.pattern.hasPrefix("/dashboard/") {
                guard let lines = operations.removeValue(forKey: "\(route.method.rawValue) \(route.pattern)") else {
                    Issue.record("\(route.method) \(route.pattern) is not documented")
                    continue
                }
                let named = lines.compactMap { line -> String? in
                    let text = line.drop { $0 == " " }
                    if text.hasPrefix("- name: ") { return String(text.dropFirst(8)) }
                    let reference = "- $ref: \"#/components/parameters/"
                    guard text.hasPrefix(reference) else { return nil }
                    let name = String(text.dropFirst(reference.count).dropLast())
                    return references[name] ?? name
                }
                let parameters = named.filter { !route.pattern.contains("{\($0)}") && $0 != "ifNoneMatch" && $0 != "Last-Event-ID" }
                #expect(parameters.sorted() == route.parameters.sorted(), "\(route.method) \(route.pattern)")
                #expect(named.contains("id") == route.pattern.contains("{id}"), "\(route.pattern)")
            }
            #expect(operations.isEmpty, "documented, but not there: \(operations.keys)")
        }
    }
}
