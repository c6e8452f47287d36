import Dialects
import Telemetry
import Testing

@Suite struct LineProtocolTests {
    /// Lines of https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ and of Telegraf's README files.
    @Test func documentedLinesAreRead() {
        let listener = Listener(.lineProtocol) { $0.deviceTag = "location" }
        let heard = listener.hear("weather,location=us-midwest temperature=82,humidity=71i 1465839830100400200")
        #expect(
            heard.readings == [
                Reading(
                    device: "us-midwest", time: Timestamp(microseconds: 1_465_839_830_100_400),
                    fields: ["weather.temperature": .double(82), "weather.humidity": .integer(71)])
            ])
        let all = listener.hear(
            """
            # every type
            m,location=l f=1,i=12485903i,u=12485903u,e=-1.234456e+78,s="this is a string",t=T,f1=FALSE,b2=true,b3=f

               m,location=l x=1i\t
            """)
        #expect(all.readings.count == 2)
        #expect(
            all.readings[0].fields == [
                "m.f": .double(1), "m.i": .integer(12_485_903), "m.u": .integer(12_485_903), "m.e": .double(-1.234456e78),
                "m.s": .string("this is a string"), "m.t": .boolean(true), "m.f1": .boolean(false), "m.b2": .boolean(true),
                "m.b3": .boolean(false),
            ])
        #expect(all.readings[1] == Reading(device: "l", time: nil, fields: ["m.x": .integer(1)]))
    }

    /// The documentation's examples of escapes: `my\ Measurement`, `\,` and `\=` in names, `\"` and `\\` in texts, an emoji, a line break.
    @Test func escapesAreResolved() {
        let heard = Listener(.lineProtocol).hear(
            #"my\ Measurement\,1,device=a\ b fie\ ld\,\=="string\" value\\",path="C:\temp""#)
        #expect(
            heard.readings == [
                Reading(
                    device: "a b", time: nil,
                    fields: ["my Measurement,1.fie ld,=": .string("string\" value\\"), "my Measurement,1.path": .string(#"C:\temp"#)])
            ])
        let multi = Listener(.lineProtocol).hear("m,device=🍭 text=\"two\nlines, = and # here\",n=1i\nm,device=e n=2i")
        #expect(
            multi.readings == [
                Reading(device: "🍭", time: nil, fields: ["m.text": .string("two\nlines, = and # here"), "m.n": .integer(1)]),
                Reading(device: "e", time: nil, fields: ["m.n": .integer(2)]),
            ])
        // A backslash before any other byte is one.
        let back = Listener(.lineProtocol).hear(#"a\b\\c,device=d\e v=1i"#)
        #expect(back.readings == [Reading(device: #"d\e"#, time: nil, fields: [#"a\b\\c.v"#: .integer(1)])])
    }

    @Test func otherTagsNameTheSeries() {
        let line = "cpu,host=h1,zone=b\\,c,device=d1,cpu=cpu0 usage=1.5"
        #expect(Listener(.lineProtocol).hear(line).readings.map(\.device) == [#"d1,cpu=cpu0,host=h1,zone=b\,c"#])
        let byHost = Listener(.lineProtocol) { $0.deviceTag = "host" }
        #expect(byHost.hear(line).readings.map(\.device) == [#"h1,cpu=cpu0,device=d1,zone=b\,c"#])
        // The same series, its tags in another order.
        #expect(
            byHost.hear("cpu,zone=b\\,c,cpu=cpu0,device=d1,host=h1 usage=2").readings.map(\.device) == [#"h1,cpu=cpu0,device=d1,zone=b\,c"#]
        )
        #expect(Listener(.lineProtocol).hear(#"m,device=a\,b,x=1 v=1"#).readings.map(\.device) == [#"a\,b,x=1"#])
    }

    @Test func noDeviceHasTheNameOfAnothersSeries() {
        let devices = Listener(.lineProtocol).hear("m,device=h\\,cpu\\=cpu0 v=1\nm,device=h,cpu=cpu0 v=1\nm,device=a\\=b v=1").readings.map(
            \.device)
        #expect(devices == [#"h\,cpu=cpu0"#, "h,cpu=cpu0", "a=b"])
        #expect(Listener(.lineProtocol).hear("m v=1", device: "a,b").readings.map(\.device) == [#"a\,b"#])
        let fields = Listener(.lineProtocol) { $0.tags = .fields }
        #expect(fields.hear(#"m,device=a\,b v=1"#).readings.map(\.device) == ["a,b"])
    }

    @Test func tagsBecomeFieldsWhereAsked() {
        let listener = Listener(.lineProtocol) {
            $0.tags = .fields
            $0.measurement = .drop
        }
        let heard = listener.hear("cpu,host=h1,device=d1 usage=1.5,idle=2i")
        #expect(
            heard.readings == [
                Reading(device: "d1", time: nil, fields: ["host": .string("h1"), "usage": .double(1.5), "idle": .integer(2)])
            ])
    }

    @Test func theTopicsDeviceWinsOverTheTag() {
        let listener = Listener(.lineProtocol)
        #expect(listener.hear("m v=1i", device: "topic").readings == [Reading(device: "topic", time: nil, fields: ["m.v": .integer(1)])])
        #expect(listener.hear("m,device=topic v=1i", device: "topic").readings.map(\.device) == ["topic"])
        #expect(listener.hear("m,device=other v=1i", device: "topic").readings.map(\.device) == ["topic,device=other"])
    }

    @Test(
        arguments: [
            (.auto, "1764000000", 1_764_000_000_000_000), (.auto, "1764000000123", 1_764_000_000_123_000),
            (.auto, "1764000000123456789", 1_764_000_000_123_456), (.nanoseconds, "1764000000", 1_764_000),
            (.nanoseconds, "-1", -1), (.seconds, "1764000000", 1_764_000_000_000_000), (.milliseconds, "5", 5_000),
            (.microseconds, "5", 5), (.minutes, "2", 120_000_000), (.hours, "-1", -3_600_000_000),
        ] as [(DialectOptions.TimeUnit, String, Int64)])
    func timesHaveTheUnitOfTheOptions(_ unit: DialectOptions.TimeUnit, _ text: String, _ microseconds: Int64) {
        let heard = Listener(.lineProtocol) { $0.timeUnit = unit }.hear("m,device=d v=1 \(text)")
        #expect(heard.readings.first?.time == Timestamp(microseconds: microseconds))
    }

    @Test func theLeastNumberIsNoTime() {
        let heard = Listener(.lineProtocol) { $0.timeUnit = .microseconds }.hear("m,device=d v=1 -9223372036854775808")
        #expect(heard.rejection?.reason == .badTime)
    }

    @Test(
        arguments: [
            ("m", .undecodable), ("m ", .undecodable), ("m,device=d", .undecodable), ("m,device=d ", .undecodable),
            (",device=d v=1", .undecodable), ("m,device v=1", .undecodable), ("m,device= v=1", .undecodable),
            ("m,=d v=1", .undecodable), ("m,device=d,device=e v=1", .undecodable), ("m,device=d=e v=1", .undecodable),
            ("m,device=d v", .undecodable), ("m,device=d v=", .undecodable), ("m,device=d =1", .undecodable),
            ("m,device=d v=1,", .undecodable), ("m,device=d v=abc", .undecodable), ("m,device=d v=\"x", .undecodable),
            ("m,device=d v=\"x\"y", .undecodable), ("m,device=d v=1.5i", .undecodable), ("m,device=d v=-1u", .undecodable),
            ("m,device=d v=i", .undecodable), ("m,device=d v=NaN", .undecodable), ("m,device=d v=0x1f", .undecodable),
            ("m,device=d v=9223372036854775808i", .badValue), ("m,device=d v=18446744073709551615u", .badValue),
            ("m,device=d v=1e999", .badValue), ("m,device=d v=1 noon", .badTime), ("m,device=d v=1 1.5", .badTime),
            ("m,device=d v=1 1 2", .badTime), ("m,device=d v=1 9223372036854775808", .badTime), ("m,host=h v=1", .noDevice),
            ("m v=1", .noDevice),
        ] as [(String, RejectReason)])
    func badLinesAreRejected(_ line: String, _ reason: RejectReason) {
        let heard = Listener(.lineProtocol).hear(line)
        #expect(heard.rejection?.reason == reason, "\(line): \(heard.outcome)")
    }

    @Test func aMissingTagIsToldWithTheOption() {
        let heard = Listener(.lineProtocol) { $0.deviceTag = "unit" }.hear("cpu,host=h v=1")
        #expect(heard.rejection?.detail == "no tag \"unit\" names the device; device_tag says which tag does")
    }

    @Test(arguments: [
        ("{\"a\":1}", "no field behind the measurement"), ("a,b c", "tag \"b\": a tag is written name=value"), ("cpu v=", "no value"),
        ("cpu v=abc", "no number, boolean or quoted text"), ("cpu v=1 noon", "is no time"), ("cpu v=1,w", "a field is written name=value"),
        ("cpu v=1i 5", "no tag \"device\""),
    ])
    func whatIsNoLineIsToldBeforeTheMissingTag(_ line: String, _ detail: String) {
        let heard = Listener(.lineProtocol).hear(line)
        #expect(heard.rejection?.detail.contains(detail) == true, "\(heard.outcome)")
    }

    @Test func anUnclosedQuoteIsToldWithTheLineThatOpensIt() {
        let heard = Listener(.lineProtocol).hear("m,device=d v=1\nm,device=d a=\"x\ny\",b=\"z\nm,device=d v=2")
        #expect(heard.rejection?.detail == "line 2: the quote that is opened on line 3 is never closed", "\(heard.outcome)")
    }

    @Test func aMessageIsTakenWholeOrNotAtAll() {
        let heard = Listener(.lineProtocol).hear("m,device=d v=1\nm,device=d v=2\n\nm,device=d v=\nm,device=d v=4")
        #expect(heard.readings.isEmpty)
        #expect(heard.rejection?.detail.hasPrefix("line 4: ") == true, "\(heard.outcome)")
        #expect(Listener(.lineProtocol).hear("# nothing\n\n").isIgnored)
        #expect(Listener(.lineProtocol) { $0.include = ["temp"] }.hear("m,device=d v=2").isIgnored)
    }

    @Test func limitsHold() {
        let tags = (0..<129).map { ",t\($0)=1" }.joined()
        #expect(Listener(.lineProtocol).hear("m,device=d\(tags) v=1").rejection?.reason == .undecodable)
        let fields = (0..<1_025).map { "f\($0)=1" }.joined(separator: ",")
        #expect(Listener(.lineProtocol).hear("m,device=d \(fields)").rejection?.reason == .tooManyFields)
        let long = String(repeating: "n", count: 256)
        #expect(Listener(.lineProtocol).hear("m,device=d \(long)=1").rejection?.reason == .fieldNameTooLong)
        #expect(Listener(.lineProtocol).hear("m,device=\(long)n v=1").rejection?.reason == .deviceTooLong)
        #expect(Listener(.lineProtocol).hear("m,device=\(long) v=1").readings.count == 1)
    }
}
