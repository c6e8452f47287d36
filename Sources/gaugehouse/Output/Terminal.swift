import Foundation

/// Where the output goes: colours and its width only when people look at it.
struct Terminal {
    enum Style: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    /// See https://no-color.org.
    let isColored: Bool
    /// Columns.
    let width: Int

    private static let usualWidth = 80
    private static let widths = 20...400

    static let output = Terminal(
        environment: ProcessInfo.processInfo.environment, isTerminal: isatty(STDOUT_FILENO) == 1, measuredWidth: measuredWidth)

    init(environment: [String: String], isTerminal: Bool, measuredWidth: Int?) {
        isColored = isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        let width = environment["COLUMNS"].flatMap { Int($0) } ?? measuredWidth ?? Self.usualWidth
        self.width = min(max(width, Self.widths.lowerBound), Self.widths.upperBound)
    }

    func styled(_ text: String, _ style: Style?) -> String {
        guard isColored, let style, !text.isEmpty else { return text }
        return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }

    private static var measuredWidth: Int? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
