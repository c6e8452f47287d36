import Gateway

/// A problem as the command line tells it: title, detail, and the flag at fault.
struct ProblemText {
    private let status: Int
    private let problem: JSONValue

    init(_ status: Int, _ problem: JSONValue) {
        self.status = status
        self.problem = problem
    }

    var error: GatewayError { GatewayError(text, exitCode) }

    private var text: String {
        let detail = [problem["title"].string, problem["detail"].string].compactMap { $0 }.joined(separator: ": ")
        guard !detail.isEmpty else { return "the gateway answered with status \(status)" }
        let flag = problem["param"].string.flatMap(Self.flag)
        return TextTable.shown(detail + (flag.map { " [\($0)]" } ?? ""))
    }

    /// What a parameter of the API is called here; nil for what no flag sets.
    private static func flag(of parameter: String) -> String? {
        switch parameter {
        case "fields": "--field"
        case "devices", "id": "device"
        case "authorization": "--token"
        case "name": "name"
        case "body": nil
        case "page_token", "format", "shape", "time": nil
        default: "--" + parameter.replacing("_", with: "-")
        }
    }

    private var exitCode: SystemExitCode {
        switch status {
        case 401, 403: .noPermission
        case 404: .noInput
        case 429: .temporaryFailure
        case 400..<500: .usage
        default: .unavailable
        }
    }
}
