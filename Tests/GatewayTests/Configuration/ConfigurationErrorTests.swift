import Testing

@testable import Gateway

/// What a wrong configuration says: one line for each mistake, at the line it stands in.
@Suite struct ConfigurationErrorTests {
    /// The messages of a text that must be refused.
    private func problems(
        _ toml: String, environment: [String: String] = [:], flags: [String] = []
    ) -> [String] {
        do {
            _ = try GatewayConfiguration.parse(toml, file: "g.toml", environment: environment, flags: flags)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func allMistakesAreReportedAtOnceInTheOrderOfTheFile() {
        let found = problems(
            """
            [store]
            pth = "/data"
            durability = "sometimes"

            [[table]]
            ttl = 30
            max_versions = 0

            [htpp]
            listen = "127.0.0.1:1"
            """)
        #expect(
            found == [
                "g.toml:2: unknown key \"pth\" in [store]; did you mean \"path\"?",
                "g.toml:3: durability: expected \"fsync\" or \"interval\" or \"none\", found \"sometimes\"",
                "g.toml:6: ttl: expected a duration from \"1s\" to \"36500d\", found the integer 30",
                "g.toml:7: max_versions: expected an integer from 1 to 100, found the integer 0",
                "g.toml:9: unknown key \"htpp\" at the top level; did you mean \"http\"?",
            ])
    }

    @Test func brokenTOMLNamesTheLine() {
        let found = problems("[store]\npath = \"/data\"\nbroken = = 1\n")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("g.toml:3: not TOML:") == true)
    }

    @Test(arguments: [
        ("[store]\npath = 5", "path: expected a string, found the integer 5"),
        ("[store]\ncommit_interval = \"2 ms\"", "commit_interval: expected a duration from \"0s\" to \"1s\", found \"2 ms\""),
        ("[store]\ncommit_interval = \"2s\"", "commit_interval: expected a duration from \"0s\" to \"1s\", found \"2s\""),
        ("[store]\nhead_memory = \"64MB\"", "head_memory: expected a size from \"1MiB\" to \"1TiB\", found \"64MB\""),
        (
            "[store]\nhead_memory = 1.5",
            "head_memory: expected a size from \"1MiB\" to \"1TiB\", found a value of type floating-point number"
        ),
        ("[mqtt]\nport = \"1883\"", "port: expected an integer from 1 to 65535, found \"1883\""),
        ("[http]\nlisten = \"8080\"", "listen: expected ADDRESS:PORT like \"127.0.0.1:8080\" or \"[::1]:8080\", found \"8080\""),
        ("[http]\nallow_anonymous = \"yes\"", "allow_anonymous: expected true or false, found \"yes\""),
        ("[http]\nmax_connections = 1", "max_connections: expected an integer from 16 to 100000, found the integer 1"),
        ("[http]\ncors_origins = \"*\"", "cors_origins: expected a list of strings, found \"*\""),
        ("[[mqtt.subscription]]\ntime_zone = \"CET\"", "time_zone: expected +HH:MM, -HH:MM or Z, found \"CET\""),
        ("[[mqtt.subscription]]\ninclude = \"a\"", "include: expected a list of strings, found \"a\""),
        ("[[mqtt]]\n[[mqtt]]", "client_id: \"gaugehouse\" is taken by an earlier [[mqtt]]"),
    ]) func aWrongTypeOrValueSaysWhatIsExpected(toml: String, message: String) {
        #expect(problems(toml) == ["g.toml:2: " + message])
    }

    @Test func aFormatThatDoesNotExistIsAnsweredWithTheNearest() {
        let found = problems("[[mqtt.subscription]]\nformat = \"senmal\"")
        #expect(found.count == 1 && found[0].hasSuffix("found \"senmal\"; did you mean \"senml\"?"))
    }

    @Test(arguments: [
        ("format = \"value\"\ntopic = \"devices/+/telemetry\"", "topic: payloads of value name no device; {device} must be in the topic"),
        (
            "topic = \"devices/{device}/telemetry\"\nformat = \"thingsboard-gateway\"",
            "topic: payloads of thingsboard-gateway name their devices"
        ),
        ("format = \"csv\"\ncolumns = [\"t\", \"t\"]", "columns: a name is there twice"),
    ]) func aMappingThatCanNeverWorkIsRefused(options: String, message: String) {
        let found = problems("[[mqtt.subscription]]\n" + options)
        #expect(found.count == 1 && found[0].contains(message), "\(found)")
    }

    @Test func noTwoConnectionsHaveOneClientID() {
        let found = problems("[[mqtt]]\nconnections = 2\n[[mqtt]]\nclient_id = \"gaugehouse-2\"")
        #expect(found == ["g.toml:4: client_id: \"gaugehouse-2\" is taken by an earlier [[mqtt]]"])
    }

    @Test(arguments: [
        (
            "[[delivery]]\nmode = \"incremntal\"",
            "mode: expected \"aged\" or \"incremental\" or \"full\" or \"differential\", found \"incremntal\"; did you mean "
                + "\"incremental\"?"
        ),
        (
            "[[delivery]]\ndestination = \"s3:bucket\"",
            "destination: 's3:bucket' must be written file:///absolute/directory or s3://bucket/prefix"
        ),
        (
            "[[delivery]]\ndestination = \"s3://bucket/p\"\n[delivery.s3]\naccess_key_file = \"/a\"",
            "destination: access_key_file and secret_key_file come together, session_token_file only with them"
        ),
        (
            "[[delivery]]\nprefix = \"$HH$mm/$bucket\"\n[[table]]\npartition = \"31d\"",
            "prefix: would cut each partition into 714256 folders; 10000 are possible: leave out the finest variable"
        ),
        (
            "[[delivery]]\ndestination = \"file:///var/lib/gaugehouse/store/archive\"",
            "destination: /var/lib/gaugehouse/store/archive and the store's directory, /var/lib/gaugehouse/store, must lie apart"
        ),
        (
            "[[delivery]]\ndestination = \"file:///var/lib/gaugehouse\"",
            "destination: /var/lib/gaugehouse and the store's directory, /var/lib/gaugehouse/store, must lie apart"
        ),
    ]) func aDeliveryThatCannotBeSaysWhy(toml: String, message: String) {
        let found = problems(toml)
        #expect(found.count == 1 && found[0].hasSuffix(": " + message), "\(found)")
    }

    @Test func aTokenFileThatIsEmptyIsTheDefaultAndFine() {
        #expect(problems("[http]\ntoken_file = \"\"").isEmpty)
    }

    @Test func sectionsWrittenInTheWrongShapeSaySo() {
        #expect(problems("[table]\nname = \"a\"") == ["g.toml:1: write this section as [[table]]"])
        #expect(problems("[[store]]\npath = \"a\"") == ["g.toml:1: write this section as [store]"])
        #expect(problems("store = 1") == ["g.toml:1: write this section as [store]"])
    }

    @Test func namesMustBeUniqueAndKnown() {
        let found = problems(
            """
            [[table]]
            name = "a"
            [[table]]
            name = "a"
            [[mqtt.subscription]]
            table = "b"
            [[delivery]]
            name = "x"
            [[delivery]]
            [[delivery]]
            name = "y"
            prefix = "../$tabel"
            destination = "relative"
            """)
        #expect(
            found == [
                "g.toml:4: name: \"a\" is taken by an earlier [[table]]",
                "g.toml:6: table: there is no table \"b\"; did you mean \"a\"?",
                "g.toml:8: name: 'x' must be 3 to 16 of a-z, 0-9 and '-', and begin and end with one of the first",
                "g.toml:11: name: 'y' must be 3 to 16 of a-z, 0-9 and '-', and begin and end with one of the first",
                "g.toml:12: prefix: '../$tabel': unknown variable '$tabel'; known are $table $yyyy $MM $dd $HH $mm $task $bucket",
                "g.toml:13: destination: 'relative' must be written file:///absolute/directory or s3://bucket/prefix",
            ])
    }

    @Test func pairsOfOptionsAreHeldTogether() {
        let found = problems(
            """
            [mqtt]
            password_file = "\(#filePath)"
            tls_ca_file = "/ca"
            tls_cert_file = "/c"
            [http]
            listen = "0.0.0.0:80"
            [[table]]
            ttl = "1h"
            [[delivery]]
            age = "1h"
            """)
        #expect(
            found == [
                "g.toml:2: password_file: a password needs a username",
                "g.toml:3: tls_ca_file: /ca cannot be read: No such file or directory",
                "g.toml:4: tls_cert_file: tls_cert_file and tls_key_file come together",
                "g.toml:6: listen: 0.0.0.0 is reachable from elsewhere; set token_file, or allow_anonymous = true if everyone there may "
                    + "read and write",
                "g.toml:10: age: 1h must be shorter than the table's ttl, 1h",
            ])
    }

    @Test func filesOfTLSAreReadBeforeAConnectionIsGivenUpForThem() {
        for key in ["tls_ca_file = ", "tls_ca_file = \"system\"\ntls_key_file = \"/none\"\ntls_cert_file = "] {
            for file in ["/none", #filePath] {
                let found = problems("[mqtt]\n\(key)\"\(file)\"")
                let fault = file == "/none" ? "cannot be read: No such file" : "holds no certificates in PEM"
                #expect(found.count == 1 && found[0].contains("\(file) \(fault)"), "\(found)")
            }
        }
        #expect(problems("[mqtt]\ntls_ca_file = \"system\"") == [])
    }

    /// The TOML library ends the process for some of them.
    @Test(arguments: [
        "[<table>]", "[[[", "[[", "[", "[=", "[.a]", "[[.x]]", "[{", "[#", "[,", "[!", "[ä]", "[(mqtt)]", "[ \t?]", "[[ %", "[]", "[[]]",
    ])
    func aHeaderWithoutANameIsRefused(header: String) {
        for text in ["[store]\n\(header)\n", "[store]\n\(header)", "[store]\r\n  \(header)\r\npath = \"/a\"\r\n"] {
            let found = problems(text)
            #expect(found.count == 1 && found[0].hasPrefix("g.toml:2: not TOML: "), "\(found)")
        }
    }

    @Test func bracketsThatOpenNoTableAreNotTakenForOne() {
        let found = problems(
            "[[mqtt.subscription]]\nfilter = \"devices/+/telemetry\"\ninclude = [\n  \"[<x>]\",\n  \"b\",\n]\n# [<\n[ 'http' ]\n")
        #expect(found == [])
    }

    @Test func mistakesInEnvironmentAndFlagsNameTheirPlace() {
        let found = problems(
            "", environment: ["GAUGEHOUSE_STORE__PAHT": "x", "GAUGEHOUSE_BIN": "y", "GAUGEHOUSE_TABLE__TTL": "1d"],
            flags: ["http.listen=here", "store", "table.1.ttl=1d"])
        #expect(
            found == [
                "GAUGEHOUSE_STORE__PAHT: unknown key \"paht\" in [store]; did you mean \"path\"?",
                "GAUGEHOUSE_TABLE__TTL: table is a list: a number from 0 to 0 must follow",
                "--set http.listen: listen: expected ADDRESS:PORT like \"127.0.0.1:8080\" or \"[::1]:8080\", found \"here\"",
                "--set store: expected SECTION.KEY=VALUE",
                "--set table.1.ttl: table is a list: a number from 0 to 0 must follow",
            ])
    }

    @Test func aMissingFileIsAProblemOfTheConfiguration() {
        let error = #expect(throws: ConfigurationError.self) { try GatewayConfiguration.load(file: "/nowhere/g.toml") }
        #expect(error?.description == "/nowhere/g.toml: cannot be read: No such file or directory")
    }

    @Test func topicsAndFiltersThatNoMessageCanFitAreRefused() {
        #expect(problems("[[mqtt.subscription]]\nfilter = \"a+/b\"").first?.hasPrefix("g.toml:1: topic: \"+\" in the filter") == true)
        #expect(
            problems("[[mqtt.subscription]]\nfilter = \"a/#\"\ntopic = \"b/{device}\"").first?.hasPrefix("g.toml:3: topic: level 1") == true
        )
    }

    @Test func anUnreadablePasswordFileIsNamed() {
        let found = problems("[mqtt]\nusername = \"u\"\npassword_file = \"/nowhere/password\"")
        #expect(found.count == 1 && found[0] == "g.toml:3: password_file: /nowhere/password cannot be read: No such file or directory")
    }

    @Test(arguments: ["../x", "/a", "a//b", "$tabel"]) func badPrefixesAreRefused(prefix: String) {
        #expect(problems("[[delivery]]\nprefix = \"\(prefix)\"").count == 1)
    }
}
