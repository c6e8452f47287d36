import Foundation
import Testing

@testable import gaugehouse

/// What the verbs print.
@Suite(.serialized) struct OutputTests {
    private static let plain = Terminal(environment: [:], isTerminal: false, measuredWidth: nil)
    private static let colored = Terminal(environment: [:], isTerminal: true, measuredWidth: 100)
    /// 2025-11-24T16:00:00Z.
    private static let now: Int64 = 1_764_000_000_000_000

    init() {
        setenv("TZ", "UTC", 1)
        tzset()
    }

    private func parse(_ json: String) throws -> JSONValue { try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8)) }

    @Test(arguments: [
        (["NO_COLOR": "1"], true, false), (["NO_COLOR": ""], true, true), ([:], true, true), ([:], false, false),
        (["TERM": "dumb"], true, false), (["TERM": "xterm"], true, true),
    ])
    func coloursAreForTerminalsThatWantThem(environment: [String: String], isTerminal: Bool, isColored: Bool) {
        #expect(Terminal(environment: environment, isTerminal: isTerminal, measuredWidth: nil).isColored == isColored)
    }

    @Test func theWidthIsTheTerminals() {
        #expect(Self.plain.width == 80)
        #expect(Self.colored.width == 100)
        #expect(Terminal(environment: ["COLUMNS": "60"], isTerminal: true, measuredWidth: 100).width == 60)
        #expect(Terminal(environment: ["COLUMNS": "1"], isTerminal: true, measuredWidth: 100).width == 20)
        #expect(Terminal(environment: ["COLUMNS": "99999999999"], isTerminal: true, measuredWidth: nil).width == 400)
        #expect(Terminal(environment: ["COLUMNS": "wide"], isTerminal: true, measuredWidth: nil).width == 80)
    }

    @Test func aTableIsAligned() {
        var table = TextTable(
            ["NAME", TextTable.Column("N", isNumber: true), "LAST"], rows: [["a", "100", "x"], ["long name", "7", ""]])
        table.terminal = Self.plain
        #expect(table.text == "NAME         N  LAST\na          100  x\nlong name    7  ")
    }

    @Test func coloursDoNotShiftColumns() {
        var table = TextTable([TextTable.Column("S") { $0 == "up" ? .green : nil }, "T"], rows: [["up", "x"], ["off", "y"]])
        table.terminal = Self.colored
        #expect(table.text == "\u{1B}[1mS\u{1B}[0m    \u{1B}[1mT\u{1B}[0m\n\u{1B}[32mup\u{1B}[0m   x\noff  y")
    }

    @Test func hostileNamesAreInert() {
        let table = TextTable(columns: ["\u{1B}[31mX"], rows: [["a\u{1B}]0;title\u{7}b\nc\u{202E}d\u{9B}"]])
        #expect(table.text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\n" })
        #expect(table.text == "\\u{1b}[31mX\na\\u{1b}]0;title\\u{7}b c\\u{202e}d\\u{9b}")
    }

    @Test(arguments: [
        (0, "0 s ago"), (119_999_999, "119 s ago"), (120_000_000, "2 min ago"), (7_200_000_000, "2 h ago"), (172_800_000_000, "2 d ago"),
        (-5_000_000, "in 5 s"), (Int64.min, "in 106751991 d"),
    ])
    func agesAreReadByPeople(microseconds: Int64, text: String) { #expect(PeopleText.age(microseconds) == text) }

    @Test func timesSpansAndSizesAreReadByPeople() {
        #expect(PeopleText.time(Self.now) == "2025-11-24 16:00:00")
        #expect(PeopleText.time(Self.now + 250_000) == "2025-11-24 16:00:00.25")
        #expect(PeopleText.time(-1) == "1969-12-31 23:59:59.999999")
        #expect(!PeopleText.time(.min).isEmpty && !PeopleText.time(.max).isEmpty)
        #expect([0, 30, 90, 3_600, 86_400 * 30].map { PeopleText.span(seconds: $0) } == ["0 s", "30 s", "90 s", "1 h", "30 d"])
        #expect([0, 999, 1_000, 12_345_678].map { PeopleText.size($0) } == ["0 B", "999 B", "1.0 kB", "12.3 MB"])
    }

    @Test func csvIsQuotedWhereItHasTo() {
        #expect(CSVLines.line(["a", "b,c", "d\"e", "f\ng", ""]) == "a,\"b,c\",\"d\"\"e\",\"f\ng\",\n")
    }

    private func answer() throws -> SeriesAnswer {
        var answer = SeriesAnswer()
        let pages = [
            #"{"table":"t","series":[{"device":"a","columns":[{"name":"time"},{"name":"temp"}],"rows":[[1764000000000000,21.5]]}]}"#,
            #"{"table":"t","series":[{"device":"a","columns":[{"name":"time"},{"name":"temp"}],"rows":[[1764000060000000,7]]},"#
                + #"{"device":"b","columns":[{"name":"time"},{"name":"state"}],"rows":[[1764000000500000,"on"]]}]}"#,
        ]
        #expect(try pages.map { answer.add(try parse($0)) } == [1, 2])
        return answer
    }

    @Test func pagesBecomeOneTable() throws {
        #expect(
            try answer().tableText(terminal: Self.plain) == """
                DEVICE  TIME (UTC)             temp  state
                a       2025-11-24 16:00:00    21.5  \("")
                a       2025-11-24 16:01:00       7  \("")
                b       2025-11-24 16:00:00.5        on
                """)
    }

    @Test func pagesBecomeOneFile() throws {
        #expect(
            try answer().csv() == """
                device,time,temp,state
                a,2025-11-24T16:00:00Z,21.5,
                a,2025-11-24T16:01:00Z,7,
                b,2025-11-24T16:00:00.500Z,,on

                """)
        #expect(
            try answer().json == #"{"series":[{"columns":["time","temp"],"device":"a","#
                + #""rows":[["2025-11-24T16:00:00Z",21.5],["2025-11-24T16:01:00Z",7]]},"#
                + #"{"columns":["time","state"],"device":"b","rows":[["2025-11-24T16:00:00.500Z","on"]]}],"table":"t"}"#)
    }

    @Test func newestValuesAreATable() throws {
        let device = try parse(
            #"{"device":"a","time":1764000000000000,"values":{"temp":{"value":21.5,"time":1763999990000000},"#
                + #""s":{"value":"x","time":1764000000000000}}}"#
        )
        var one = LatestAnswer(fields: [], isOfOne: true)
        one.add([device])
        #expect(
            one.tableText(now: Self.now, terminal: Self.plain) == """
                FIELD  VALUE  TIME (UTC)           AGE
                s      x      2025-11-24 16:00:00  0 s ago
                temp   21.5   2025-11-24 15:59:50  10 s ago
                """)
        var fleet = LatestAnswer(fields: [], isOfOne: false)
        fleet.add([device])
        #expect(fleet.tableText(now: Self.now, terminal: Self.plain) == "DEVICE  AGE      VALUES\na       0 s ago  s=x temp=21.5")
        var chosen = LatestAnswer(fields: ["temp", "no"], isOfOne: false)
        chosen.add([device])
        #expect(chosen.tableText(now: Self.now, terminal: Self.plain) == "DEVICE  AGE      temp  no\na       0 s ago  21.5  ")
        #expect(one.csv() == "device,field,time,value\na,s,2025-11-24T16:00:00Z,x\na,temp,2025-11-24T15:59:50Z,21.5\n")
    }

    @Test func devicesAndTablesAreListed() throws {
        var list = DeviceList()
        let page = #"{"devices":[{"id":"a","first_seen":1763990000000000,"last_seen":1763999999000000,"state":"online","readings":12}]}"#
        #expect(list.add(try parse(page)) == 1)
        #expect(
            list.tableText(now: Self.now, terminal: Self.plain)
                == "DEVICE  STATE   LAST SEEN  FIRST SEEN  READINGS\na       online  1 s ago    2 h ago           12")
        #expect(list.ids == "a")
        let tables = TableList(
            tables: [
                try parse(
                    #"{"name":"t","ttl_s":86400,"devices":2,"fields":[{}],"rows":3,"bytes":1500,"#
                        + #""oldest":1763990000000000,"newest":1763999999000000}"#
                )
            ])
        #expect(
            tables.tableText(now: Self.now, terminal: Self.plain) == """
                TABLE  TTL  DEVICES  FIELDS  ROWS    SIZE  OLDEST (UTC)         NEWEST
                t      1 d        2       1     3  1.5 kB  2025-11-24 13:13:20  1 s ago
                """)
    }
}
