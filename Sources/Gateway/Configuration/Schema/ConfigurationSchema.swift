import Delivery
import Dialects
import ObjectStorage
import Telemetry

/// A section of the file with its options, in the order of the reference file.
package struct ConfigurationSection: Sendable {
    package let name: String
    /// `[[name]]`, any number of times.
    package var isList = false
    /// `[name]`, or `[[name]]` any number of times.
    package var mayRepeat = false
    /// Absent unless written: without it that part of the gateway does not run.
    package var isOptional = false
    package let summary: [String]
    package let options: [ConfigurationOption]
    package var subsections: [ConfigurationSection] = []

    func option(_ key: String) -> ConfigurationOption? { options.first { $0.key == key } }
    func subsection(_ name: String) -> ConfigurationSection? { subsections.first { $0.name == name } }
    var names: [String] { options.map(\.key) + subsections.map(\.name) }
}

/// Every option there is. Decoding, the reference file and its test are driven by this one table.
package enum ConfigurationSchema {
    package static let root = ConfigurationSection(
        name: "", summary: [], options: [], subsections: [store, table, mqtt, http, deadLetters, delivery, log])

    static let store = ConfigurationSection(
        name: "store", summary: ["Where readings live, and when a write counts as written."],
        options: [
            .init("path", .text, "/var/lib/gaugehouse/store", "directory of the store, created when missing", check: isNotEmpty),
            .init(
                "durability", .choice(["fsync", "interval", "none"]), "fsync",
                "fsync: an ack means on disk; interval, none: a power cut may lose acked readings"),
            .init("commit_interval", .duration(.zero ... .seconds(1)), "2ms", "longest time a commit waits for company"),
            .init(
                "head_memory", .byteCount(1 << 20...1 << 40), "256MiB",
                "memory for rows not yet in segments; at twice this, writes wait"),
            .init("head_age", .duration(.seconds(1) ... .days(1)), "10m", "rows stay in memory and log at most this long"),
            .init("block_cache", .byteCount(0...1 << 40), "64MiB", "memory for decompressed blocks of segments"),
            .init("log_file_size", .byteCount(1 << 20...1 << 32), "64MiB", "preallocated size of one commit log file"),
            .init("compression_level", .integer(1...19), "3", "zstd level of segments"),
            .init(
                "disk_reserve", .byteCount(0...1 << 50), "256MiB",
                "while less is free, writes are refused: deliveries that lag hold partitions; 0: until the disk is full"),
        ])

    static let table = ConfigurationSection(
        name: "table", isList: true,
        summary: ["Readings that share options. Repeat the section for more tables; the first is the default."],
        options: [
            .init("name", .text, "telemetry", "1 to 64 of [A-Za-z0-9_-]", check: isTableName),
            .init("buckets", .integer(1...1_024), "16", "hash buckets of the row key; fixed when the table is created"),
            .init("ttl", .duration(.seconds(1) ... .days(36_500)), "30d", "a reading older than this is gone"),
            .init("max_versions", .integer(1...100), "1", "readable versions of a value written again"),
            .init(
                "partition", .duration(.seconds(1) ... .days(31)), "1h", "time window of a partition; fixed when the table is created",
                check: isWholeSeconds),
            .init("seal_after", .duration(.zero ... .days(7)), "10m", "grace for late readings before a window is sealed"),
            .init("max_future", .duration(.zero ... .days(366)), "1h", "a reading further ahead of the clock is rejected"),
            .init("stale_after", .duration(.seconds(1) ... .days(366)), "5m", "a device silent for longer is stale"),
            .init("retain_until_delivered", .boolean, "true", "no partition expires before every delivery of the table has it"),
            .init(
                "max_devices", .integer(0...Limits.devicesPerTable), "0",
                "devices beyond this number are rejected; 0: up to \(Limits.devicesPerTable)", reloads: true),
            .init(
                "max_readings_per_second", .integer(0...1_000_000_000), "0",
                "readings of the table beyond this rate are rejected; 0: none", reloads: true),
            .init(
                "device_readings_per_second", .integer(0...1_000_000_000), "0",
                "readings of a device beyond this rate are rejected; 0: none", reloads: true),
            .init("rate_burst", .duration(.zero ... .hours(1)), "10s", "how much of an unused rate may come at once", reloads: true),
        ])

    static let mqtt = ConfigurationSection(
        name: "mqtt", mayRepeat: true, isOptional: true,
        summary: [
            "The broker to subscribe at; several are written as [[mqtt]], each with its own subscriptions. Without this section",
            "the gateway runs on HTTP writes alone.",
        ],
        options: [
            .init("host", .text, "127.0.0.1", "name or address of the broker", reloads: true, check: isNotEmpty),
            .init("port", .integer(1...65_535), "1883", "8883 is usual with TLS", reloads: true),
            .init(
                "client_id", .text, "gaugehouse", "names the session that the broker keeps while the gateway is away", reloads: true,
                check: isNotEmpty),
            .init("connections", .integer(1...64), "1", "above 1: shared subscriptions, $share/gaugehouse/...", reloads: true),
            .init(
                "keep_alive", .duration(.seconds(10) ... .hours(1)), "60s", "silence after which the connection counts as dead",
                reloads: true),
            .init(
                "session_expiry", .duration(.hours(1) ... .days(3_650)), "30d",
                "how long the broker keeps the session of a gateway that is away", reloads: true),
            .init("username", .text, "", "empty: anonymous", reloads: true),
            .init("password_file", .text, "", "file that holds the password and nothing else", reloads: true),
            .init("tls_ca_file", .text, "", "CA certificates in PEM, or \"system\"; turns TLS on", reloads: true),
            .init("tls_cert_file", .text, "", "client certificate in PEM, with its key below", reloads: true),
            .init("tls_key_file", .text, "", "key of the client certificate in PEM", reloads: true),
            .init("watch_broker", .boolean, "true", "warn when the broker says in $SYS that it dropped messages", reloads: true),
        ],
        subsections: [subscription])

    static let subscription = ConfigurationSection(
        name: "subscription", isList: true, summary: ["What to subscribe to, and what topics and payloads mean. Repeat for more."],
        options: [
            .init("filter", .text, "devices/+/telemetry", "MQTT topic filter", reloads: true),
            .init(
                "topic", .text, "devices/{device}/telemetry", "{device}, {field}, {table}; other {names} become fields", reloads: true,
                check: isNotEmpty),
            .init(
                "format", .choice(PayloadFormat.allCases.map(\.rawValue)), "json", "see docs/dialects.md; auto tells them apart",
                reloads: true),
            .init("table", .text, "", "empty: the first table", reloads: true),
            .init(
                "retained", .choice(["drop", "store"]), "drop",
                "messages that the broker had retained: no new readings, or stored all the same", reloads: true),
            .init("qos", .integer(0...1), "1", "1: nothing acked is lost; 2 would ack before the disk has it", reloads: true),
            .init("time_key", .text, "", "dotted name of the key or column that holds the time; empty: the format's own", reloads: true),
            .init(
                "time_unit", .choice(DialectOptions.TimeUnit.allCases.map(\.rawValue)), "auto", "of a bare number; auto: by its magnitude",
                reloads: true),
            .init("time_zone", .text, "", "of times without a zone: +02:00 or Z", reloads: true, check: isZone),
            .init("include", .list, "", "fields to store, * for any characters; none: all", reloads: true),
            .init("exclude", .list, "", "fields to leave out; wins over include", reloads: true),
            .init(
                "device_tag", .text, "device", "tag or column that names the device, where the topic does not", reloads: true,
                check: isNotEmpty),
            .init(
                "tags", .choice(DialectOptions.TagPolicy.allCases.map(\.rawValue)), "device",
                "line protocol: other tags extend the device id, or are fields", reloads: true),
            .init(
                "measurement", .choice(DialectOptions.MeasurementPolicy.allCases.map(\.rawValue)), "prefix",
                "line protocol: begins the fields' names, or is dropped", reloads: true),
            .init("columns", .list, "", "csv without a heading line: names of its columns", reloads: true),
        ])

    static let http = ConfigurationSection(
        name: "http", summary: ["The query and write API."],
        options: [
            .init("listen", .text, "127.0.0.1:8080", "address and port; port 0 takes a free one", check: isListenAddress),
            .init("token_file", .text, "", "file of tokens, see gaugehouse token; empty: nobody is asked for one", reloads: true),
            .init("allow_anonymous", .boolean, "false", "true: without token_file it may listen beyond loopback", reloads: true),
            .init("tls_cert_file", .text, "", "certificate in PEM, with what signed it; turns TLS on", reloads: true),
            .init("tls_key_file", .text, "", "its key in PEM", reloads: true),
            .init("cors_origins", .list, "", "origins whose pages may use the API: https://grafana.example.net"),
            .init("max_connections", .integer(16...100_000), "1024", "beyond it the one that is idle longest is closed"),
            .init("device_tag", .text, "device", "tag of line protocol, column of CSV, that names the device", check: isNotEmpty),
            .init(
                "tags", .choice(["device", "fields"]), "device",
                "other tags of a line: part of the device id (d1,cpu=cpu0), or text fields"),
            .init("measurement", .choice(["prefix", "drop"]), "prefix", "of a line: before its fields' names (cpu.usage), or left out"),
            .init(
                "live_buffer", .byteCount(0...1 << 32), "8MiB",
                "memory for what a live client missed while it was cut off or slow; 0: no live tail"),
            .init("live_clients", .integer(0...100_000), "1000", "live clients at once; one more is told to come back"),
        ])

    static let deadLetters = ConfigurationSection(
        name: "dead_letters", summary: ["Messages that could not be stored, with topic, payload and reason."],
        options: [
            .init(
                "path", .text, "/var/lib/gaugehouse/dead-letters", "directory; its files hold one JSON object a line", check: isNotEmpty),
            .init("max_bytes", .byteCount(1 << 20...1 << 40), "64MiB", "of all files; the oldest go"),
            .init("files", .integer(1...1_000), "4", "files, the one being written included"),
        ])

    static let delivery = ConfigurationSection(
        name: "delivery", isList: true, isOptional: true,
        summary: ["Writes a table's rows as Parquet objects. Without this section nothing is delivered. Repeat for more."],
        options: [
            .init("name", .text, "archive", "3 to 16 of [a-z0-9-]; never reuse a name for another destination"),
            .init("table", .text, "", "empty: the first table"),
            .init(
                "mode", .choice(DeliveryMode.allCases.map(\.rawValue)), "aged",
                "aged: each sealed partition; incremental: new rows; full: all there is, once; differential: full, then incremental"),
            .init("age", .duration(.zero ... .days(36_500)), "2h", "aged: deliver a sealed partition this long after its window's end"),
            .init("destination", .text, "file:///var/lib/gaugehouse/archive", "file:///absolute/directory or s3://bucket/prefix"),
            .init("prefix", .text, "table=$table/year=$yyyy/month=$MM/day=$dd/hour=$HH", "folders; also $mm, $task and $bucket"),
            .init("prefix_time", .choice(PrefixTime.allCases.map(\.rawValue)), "reading", "of what time a prefix speaks"),
            .init("max_object_bytes", .byteCount(1 << 16...1 << 32), "64MiB", "an object that reaches this is closed"),
            .init("max_object_age", .duration(.seconds(1) ... .days(1)), "2m", "incremental, differential: rows wait at most this long"),
            .init("encoding", .choice(["compact", "plain"]), "compact", "plain: for readers of Parquet that know nothing else"),
            .init("compression_level", .integer(1...19), "3", "zstd level of the objects"),
            .init("bucket_column", .boolean, "false", "true: a column with the number of the device's bucket"),
        ],
        subsections: [s3])

    static let s3 = ConfigurationSection(
        name: "s3", isOptional: true, summary: ["How the s3:// destination of the delivery above is reached."],
        options: [
            .init("endpoint", .text, "", "http://host:port or https://host; empty: that of AWS in the region"),
            .init("region", .text, "us-east-1", "also where there are none: servers check what is signed"),
            .init("path_style", .boolean, "true", "true: https://endpoint/bucket/key, false: https://bucket.endpoint/key"),
            .init("access_key_file", .text, "", "file that holds the access key id; empty: AWS_ACCESS_KEY_ID"),
            .init("secret_key_file", .text, "", "file that holds the secret key; empty: AWS_SECRET_ACCESS_KEY"),
            .init("session_token_file", .text, "", "file that holds the token of temporary keys; read again for each request"),
            .init("part_bytes", .byteCount(S3Options.leastPartByteCount...S3Options.greatestPartByteCount), "8MiB", "size of a part"),
            .init("multipart_above", .byteCount(0...S3Options.greatestPartByteCount), "16MiB", "larger objects are sent in parts"),
            .init(
                "abort_stale_uploads", .boolean, "true",
                "false: without s3:ListBucketMultipartUploads; the bucket should have a lifecycle rule then"),
            .init("retry_for", .duration(.zero ... .hours(1)), "1m", "how long a request is tried again before the task pauses"),
        ])

    static let log = ConfigurationSection(
        name: "log", summary: ["What the gateway says on standard error."],
        options: [
            .init("level", .choice(["trace", "debug", "info", "notice", "warning", "error"]), "info", "quieter from left to right")
        ])
}
