internal import TocsinCore

/// A page of ListObjectsV2.
struct ListingPage {
    var objects: [StoredObject] = []
    /// Whole keys here, not names below a prefix.
    var next: String?

    init(_ root: XMLElement) throws(XMLError) {
        try root.expect("ListBucketResult")
        let isEncoded = root["EncodingType"] == "url"
        for entry in root.children("Contents") {
            guard let raw = entry["Key"], let key = isEncoded ? PercentEncoding.decode(raw) : raw,
                let size = entry["Size"].flatMap({ Int64($0) }), size >= 0,
                let changed = entry["LastModified"].flatMap({ Timestamp(iso8601: $0) })
            else { throw XMLError(description: "an entry lacks its key, size or time") }
            objects.append(StoredObject(name: key, bytes: size, changed: changed))
        }
        if root["IsTruncated"] == "true" {
            guard let token = root["NextContinuationToken"], !token.isEmpty else {
                throw XMLError(description: "the list is cut off, and it does not say how to go on")
            }
            next = token
        }
    }
}

/// A page of ListMultipartUploads.
struct UploadsPage {
    struct Upload {
        var key: String
        var id: String
    }

    var uploads: [Upload] = []
    var next: (key: String, id: String)?

    init(_ root: XMLElement) throws(XMLError) {
        try root.expect("ListMultipartUploadsResult")
        let isEncoded = root["EncodingType"] == "url"
        func decoded(_ text: String) -> String? { isEncoded ? PercentEncoding.decode(text) : text }
        for entry in root.children("Upload") {
            guard let key = entry["Key"].flatMap(decoded), let id = entry["UploadId"], !id.isEmpty else {
                throw XMLError(description: "an upload lacks its key or id")
            }
            uploads.append(Upload(key: key, id: id))
        }
        if root["IsTruncated"] == "true" {
            guard let key = root["NextKeyMarker"].flatMap(decoded), let id = root["NextUploadIdMarker"], !key.isEmpty
            else { throw XMLError(description: "the list is cut off, and it does not say how to go on") }
            next = (key, id)
        }
    }
}

/// The body of CompleteMultipartUpload.
enum Completion {
    static func body(_ parts: [SentPart]) -> [UInt8] {
        var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for part in parts {
            text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(escaped(part.tag))</ETag>"
            text += "<ChecksumSHA256>\(part.hash.base64)</ChecksumSHA256></Part>"
        }
        return Array((text + "</CompleteMultipartUpload>").utf8)
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}

/// A part that the service has.
struct SentPart: Sendable {
    /// From 1.
    var number: Int
    /// The entity tag, quotes and all.
    var tag: String
    var hash: [UInt8]
}

extension XMLElement {
    func expect(_ name: String) throws(XMLError) {
        guard self.name == name else {
            throw XMLError(description: "it is <\(self.name.prefix(60))> where <\(name)> was expected")
        }
    }
}
