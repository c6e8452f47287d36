/// The kinds of destination, by their URLs.
package enum ObjectDestinations {
    /// - Parameter s3: for `s3://`; nil: AWS, with keys from the environment.
    /// - Throws: `ObjectError.invalidDestination`, which says how to write the part at fault.
    package static func make(url: String, s3 options: S3Options? = nil) throws(ObjectError) -> any ObjectDestination {
        if url.hasPrefix("file://") { return try LocalDirectoryDestination(url: url) }
        if url.hasPrefix(S3Location.scheme) { return try S3Destination(url: url, options: options ?? S3Options()) }
        guard !url.contains("@") else {
            throw ObjectError(.invalidDestination, "a destination has no credentials in it: write file:///directory or s3://bucket/prefix")
        }
        throw ObjectError(.invalidDestination, "'\(url)' must be written file:///absolute/directory or s3://bucket/prefix")
    }
}
