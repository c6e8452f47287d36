import Testing

@testable import Gateway

@Suite struct TOMLLineIndexTests {
    private let index = TOMLLineIndex(
        """
        # comment = 1
        [store]
        path = "a = b # c"   # durability = 1
        text = \"\"\"
        ttl = 1
        [x]
        \"\"\"
        list = [
          "a]", # ]
          "b",
        ]
        after = 1
        [[table]]
        name = "a"
        [[ table ]]
        "name" = 'b'
        dotted.key = 1
        [[delivery]]
          [delivery.s3]
          region = "r"
        [mqtt]
        [[mqtt.subscription]]
        [[mqtt.subscription]]
        filter = "f"
        inline = { a = 1,
        """)

    @Test(arguments: [
        ("store", 2), ("store.path", 3), ("store.text", 4), ("store.list", 8), ("store.after", 12), ("table", 13), ("table.0", 13),
        ("table.0.name", 14), ("table.1", 15), ("table.1.name", 16), ("table.1.dotted.key", 17), ("delivery.0.s3", 19),
        ("delivery.0.s3.region", 20), ("mqtt", 21), ("mqtt.subscription.0", 22), ("mqtt.subscription.1.filter", 24),
        ("mqtt.subscription.1.inline.a", 25),
    ]) func everyKeyIsFoundAtItsLine(path: String, line: Int) {
        #expect(index.line(of: path) == line)
    }

    @Test func whatIsNotThereIsFoundAtWhatIsAroundIt() {
        #expect(index.line(of: "store.ttl") == 2)
        #expect(index.line(of: "table.1.ttl") == 15)
        #expect(index.line(of: "nowhere.key") == 0)
    }
}
