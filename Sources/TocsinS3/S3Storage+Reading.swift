internal import NIOHTTP1
public import TocsinCore

extension S3Storage {
    /// The whole content, in memory; checked against the service's SHA-256 where it has one.
    /// - Throws: `TocsinError(.objectStorage)` where there is no such object.
    public func get(_ name: String) async throws -> [UInt8] {
        var request = S3Request(purpose: .read, method: .GET, key: try key(name))
        request.headers = [(name: "X-Amz-Checksum-Mode", value: "ENABLED")]
        return try await client.send(request) { reply in
            // "…-3" is a checksum of the parts' checksums.
            if let wanted = reply.headers.first(name: "x-amz-checksum-sha256"), !wanted.contains("-"),
                wanted != reply.body.sha256.base64
            {
                throw XMLError(description: "the object's bytes do not have its checksum")
            }
            return reply.body
        }
    }

    /// The bytes `range` of the object: fewer where it ends before, none where it ends before their start.
    public func get(_ name: String, range: Range<Int64>) async throws -> [UInt8] {
        guard range.lowerBound >= 0, !range.isEmpty else { return [] }
        var request = S3Request(purpose: .read, method: .GET, key: try key(name))
        request.headers = [(name: "Range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        do {
            return try await client.send(request) { reply in
                // A service may answer with everything, or with a part and yet with 200.
                let isPart = reply.status == 206 || reply.headers.contains(name: "content-range")
                let body = isPart ? reply.body[...] : reply.body.dropFirst(Int(clamping: range.lowerBound))
                return Array(body.prefix(range.count))
            }
        } catch let error as TocsinError where (error.cause as? S3ErrorReply)?.status == 416 {
            return []
        }
    }

    /// Size and time; nil where there is no such object.
    public func head(_ name: String) async throws -> StoredObject? { try await head(key: try key(name)) }

    func head(key: String) async throws -> StoredObject? {
        let request = S3Request(purpose: .read, method: .HEAD, key: key)
        do {
            return try await client.send(request) { reply in
                guard let bytes = reply.headers.first(name: "content-length").flatMap({ Int64($0) }), bytes >= 0,
                    let changed = reply.headers.first(name: "last-modified").flatMap(HTTPDate.time)
                else { throw XMLError(description: "it lacks Content-Length or Last-Modified") }
                return StoredObject(name: name(key), bytes: bytes, changed: changed)
            }
        } catch let error as TocsinError where error.isMissingObject {
            return nil
        }
    }

    public func list(prefix names: String) async throws -> [StoredObject] {
        var objects: [StoredObject] = []
        var token: String?
        repeat {
            let page = try await page(prefix: prefix + names, after: token, limit: nil)
            for var object in page.objects where object.name.utf8.starts(with: prefix.utf8) {
                object.name = name(object.name)
                // Tools make empty objects named like folders.
                if !object.name.isEmpty, object.name.utf8.last != UInt8(ascii: "/") { objects.append(object) }
            }
            if page.next == token { break }
            token = page.next
        } while token != nil
        objects.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return objects
    }

    /// Bytes are counted: a slash and an accent behind it are one character.
    private func name(_ key: String) -> String {
        String(decoding: key.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }

    func page(prefix: String, after token: String?, limit: Int?) async throws -> ListingPage {
        var request = S3Request(purpose: .list, method: .GET)
        request.query = [("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix)]
        if let token { request.query.append(("continuation-token", token)) }
        if let limit { request.query.append(("max-keys", String(limit))) }
        return try await client.send(request) { try ListingPage($0.element()) }
    }
}
