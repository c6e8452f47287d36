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
        /// nil: the last one.
        var next: Marker?
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
        if document.value("IsTruncated") == "true", let key = document["NextKeyMarker"]?.text {
            page.next = Marker(key: key, id: document.value("NextUploadIdMarker") ?? "")
        }
        return page
    }

    /// That it is gone already is as good.
    static func abort(_ client: S3Client, _ upload: Upload) throws(ObjectError) {
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
