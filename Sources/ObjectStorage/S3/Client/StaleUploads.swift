/// Multipart uploads that were begun and never ended.
enum StaleUploads {
    struct Upload: Equatable {
        var key: String
        var id: String
    }

    /// Where the next page begins.
    struct Marker: Equatable {
        var key: String
        var id: String
    }

    struct Page: Equatable {
        var uploads: [Upload] = []
        /// Whether there are more.
        var isTruncated = false
        /// nil: the last page, or a server that truncates without telling where.
        var next: Marker?
    }

    /// Pages are not more than this, in case a server never comes to an end.
    private static let pageLimit = 200

    /// Aborts every upload of a key that begins with `prefix` and has no `/` behind it.
    ///
    /// What was aborted is listed no more, so each page with some begins anew: SeaweedFS does not say where the next one would begin.
    static func abortAll(_ client: S3Client, prefix: String, uploadsPerPage: Int = 500) throws(ObjectError) {
        var marker: Marker?
        for _ in 0..<pageLimit {
            let page = try list(client, prefix: prefix, after: marker, limit: uploadsPerPage)
            let ours = page.uploads.filter { $0.key.hasPrefix(prefix) && !$0.key.dropFirst(prefix.count).contains("/") }
            for upload in ours { try abort(client, upload) }
            guard page.isTruncated, !ours.isEmpty || (page.next != nil && page.next != marker) else { return }
            marker = ours.isEmpty ? page.next : nil
        }
    }

    static func list(_ client: S3Client, prefix: String, after marker: Marker?, limit: Int) throws(ObjectError) -> Page {
        let operation = "look for unfinished uploads in s3://\(client.location.bucket)/\(prefix)"
        var request = S3Request(.get, "")
        request.query = [("uploads", ""), ("prefix", prefix), ("max-uploads", "\(limit)")]
        if let marker { request.query += [("key-marker", marker.key), ("upload-id-marker", marker.id)] }
        request.answerByteLimit = XMLElement.byteCountLimit
        let answer: HTTPAnswer
        do throws(S3Failure) {
            answer = try client.send(request)
        } catch {
            // A bucket without any, for servers that keep them apart.
            if error.code == "NoSuchUpload" { return Page() }
            let advice = error.isForbidden ? "; it needs s3:ListBucketMultipartUploads, or abort_stale_uploads = false" : ""
            let plain = error.objectError(operation)
            throw ObjectError(plain.code, plain.detail + advice)
        }
        return try page(answer.bytes, operation)
    }

    static func page(_ bytes: [UInt8], _ operation: String) throws(ObjectError) -> Page {
        guard let document = try? XMLElement.parse(bytes), document.name == "ListMultipartUploadsResult" else {
            throw ObjectError(.internal, "\(operation): the answer is not a list of uploads")
        }
        var page = Page()
        for element in document.all("Upload") {
            guard let key = element["Key"]?.text, let id = element.value("UploadId") else { continue }
            page.uploads.append(Upload(key: key, id: id))
        }
        page.isTruncated = document.value("IsTruncated") == "true"
        if page.isTruncated, let key = document["NextKeyMarker"]?.text, !key.isEmpty {
            page.next = Marker(key: key, id: document.value("NextUploadIdMarker") ?? "")
        }
        return page
    }

    /// That it is gone already is as good.
    private static func abort(_ client: S3Client, _ upload: Upload) throws(ObjectError) {
        var request = S3Request(.delete, upload.key)
        request.query = [("uploadId", upload.id)]
        do throws(S3Failure) {
            _ = try client.send(request)
        } catch {
            guard error.status != 404 else { return }
            throw error.objectError("abort an unfinished upload of s3://\(client.location.bucket)/\(upload.key)")
        }
    }
}
