import Delivery
import ObjectStorage
import Telemetry

/// A `[[delivery]]`, or what the API was asked for: one task that writes a table's rows as Parquet objects, and where to.
package struct DeliveryConfiguration: Sendable {
    package var options: DeliveryOptions
    package var destination: any ObjectDestination
    package let stop = StopFlag()

    /// - Parameter s3: its `[delivery.s3]`; nil: none.
    /// - Throws: the first of `problems`.
    init(_ values: SectionValues, s3: SectionValues?, defaultTable: String) throws(DeliveryOptionError) {
        options = try Self.options(values, defaultTable, prefix: values.text("prefix"))
        destination = try Self.destination(values, s3, stop)
    }

    /// Everything that is wrong with the section, each with its option.
    static func problems(of values: SectionValues, s3: SectionValues?, defaultTable: String) -> [DeliveryOptionError] {
        var problems: [DeliveryOptionError] = []
        func check(_ step: () throws(DeliveryOptionError) -> Void) {
            do throws(DeliveryOptionError) { try step() } catch { problems.append(error) }
        }
        check { () throws(DeliveryOptionError) in _ = try options(values, defaultTable, prefix: "") }
        check { () throws(DeliveryOptionError) in _ = try PrefixTemplate(values.text("prefix"), table: defaultTable, task: "task") }
        check { () throws(DeliveryOptionError) in _ = try destination(values, s3, StopFlag()) }
        return problems
    }

    /// A reading past its TTL is gone: what is delivered later than that would be empty.
    func checkAge(ttl: TimeSpan) throws(DeliveryOptionError) {
        guard options.mode != .aged || options.age < ttl else {
            throw DeliveryOptionError(
                "age", "\(options.age.configurationText) must be shorter than the table's ttl, \(ttl.configurationText)")
        }
    }

    /// Objects and the store's files must not meet.
    func checkPlace(storePath: String) throws(DeliveryOptionError) {
        guard let root = (destination as? LocalDirectoryDestination)?.root else { return }
        let (a, b) = (root.split(separator: "/"), storePath.split(separator: "/"))
        guard !a.starts(with: b), !b.starts(with: a) else {
            throw DeliveryOptionError("destination", "\(root) and the store's directory, \(storePath), must lie apart")
        }
    }

    private static func options(
        _ values: SectionValues, _ defaultTable: String, prefix: String
    ) throws(DeliveryOptionError) -> DeliveryOptions {
        var options = try DeliveryOptions(
            name: values.text("name"), table: values.given("table") ?? defaultTable, prefix: prefix,
            maxObjectByteCount: values.count("max_object_bytes"), compressionLevel: Int32(values.count("compression_level")),
            version: Version.number, build: Version.build)
        guard let mode = DeliveryMode(rawValue: values.text("mode")), let time = PrefixTime(rawValue: values.text("prefix_time")) else {
            preconditionFailure("choices were checked")
        }
        (options.mode, options.prefixTime) = (mode, time)
        (options.age, options.maxObjectAge) = (values.duration("age"), values.duration("max_object_age"))
        options.isPlain = values.text("encoding") == "plain"
        options.hasBucketColumn = values.boolean("bucket_column")
        return options
    }

    private static func destination(
        _ values: SectionValues, _ s3: SectionValues?, _ stop: StopFlag
    ) throws(DeliveryOptionError) -> any ObjectDestination {
        let url = values.text("destination")
        do throws(ObjectError) {
            var s3 = try s3.map(S3Options.init(_:)) ?? S3Options()
            s3.isStopped = { stop.isSet }
            return try ObjectDestinations.make(url: url, s3: s3)
        } catch {
            throw DeliveryOptionError("destination", error.detail)
        }
    }
}

extension S3Options {
    fileprivate init(_ values: SectionValues) throws(ObjectError) {
        self.init()
        endpoint = values.given("endpoint")
        region = values.text("region")
        addressing = values.boolean("path_style") ? .path : .host
        partByteCount = values.count("part_bytes")
        multipartByteCount = values.count("multipart_above")
        abortsStaleUploads = values.boolean("abort_stale_uploads")
        retry.duration = .microseconds(values.duration("retry_for").microseconds)
        switch (values.given("access_key_file"), values.given("secret_key_file")) {
        case (let access?, let secret?):
            credentials = .files(accessKeyID: access, secretAccessKey: secret, sessionToken: values.given("session_token_file"))
        case (nil, nil) where values.given("session_token_file") == nil: credentials = .environment
        default:
            throw ObjectError(.invalidDestination, "access_key_file and secret_key_file come together, session_token_file only with them")
        }
    }
}
