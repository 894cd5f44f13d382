internal import NIOCore
internal import NIOHTTP1
internal import TocsinCore

extension S3Storage {
    /// In one request up to `partBytes`, in parts above: the object appears whole or not at all either way.
    public func put(file path: String, as name: String) async throws {
        let key = try key(name)
        let file = try await LocalFile.open(path)
        guard file.bytes > Int64(client.settings.partBytes) else { return try await putWhole(file, key) }
        do {
            try await putParts(file, key)
        } catch let error as TocsinError where (error.cause as? S3ErrorReply)?.code == "NoSuchUpload" {
            // Somebody has tidied up: once more from the start.
            try await putParts(file, key)
        }
    }

    /// In one request: services take 5 GiB.
    public func put(_ bytes: [UInt8], as name: String) async throws {
        try await put(LocalFile.Part(bytes), key(name))
    }

    private func putWhole(_ file: LocalFile, _ key: String) async throws {
        let part = try await file.part(at: 0, count: Int(file.bytes))
        try file.checkUnchanged()
        try await put(part, key)
    }

    private func put(_ part: LocalFile.Part, _ key: String) async throws {
        var request = S3Request(purpose: .write, method: .PUT, key: key)
        request.carry(part)
        request.headers.append((name: "Content-Type", value: "application/octet-stream"))
        try await client.send(request) { try $0.checkReceived(part.hash) }
    }

    private func putParts(_ file: LocalFile, _ key: String) async throws {
        let begun = try await begin(key)
        do {
            let parts = try await send(file, key, begun.id)
            try file.checkUnchanged()
            try await complete(key, begun, parts, bytes: file.bytes)
        } catch {
            await abort(key, begun.id)
            throw error
        }
    }

    private struct Upload {
        var id: String
        /// By the service's clock.
        var start: Timestamp
    }

    private func begin(_ key: String) async throws -> Upload {
        var request = S3Request(purpose: .write, method: .POST, key: key, query: [("uploads", "")])
        request.headers = [
            (name: "X-Amz-Checksum-Algorithm", value: "SHA256"),
            (name: "Content-Type", value: "application/octet-stream"),
        ]
        let now = client.time
        return try await client.send(request) { reply in
            let element = try reply.element()
            guard let id = element["UploadId"], !id.isEmpty else {
                throw XMLError(description: "the new upload has no id")
            }
            return Upload(id: id, start: reply.headers.first(name: "date").flatMap(HTTPDate.time) ?? now)
        }
    }

    /// Several at once; each is tried again by itself.
    private func send(_ file: LocalFile, _ key: String, _ id: String) async throws -> [SentPart] {
        let size = Self.partSize(of: file.bytes, preferred: Int64(client.settings.partBytes))
        let count = Int((file.bytes + size - 1) / size)
        return try await withThrowingTaskGroup(of: SentPart.self) { group in
            var sent: [SentPart] = []
            for index in 0..<count {
                if index >= client.settings.parallelParts, let part = try await group.next() { sent.append(part) }
                group.addTask {
                    let offset = Int64(index) * size
                    let part = try await file.part(at: offset, count: Int(min(size, file.bytes - offset)))
                    return try await send(part, number: index + 1, key, id)
                }
            }
            for try await part in group { sent.append(part) }
            return sent.sorted { $0.number < $1.number }
        }
    }

    private func send(_ part: LocalFile.Part, number: Int, _ key: String, _ id: String) async throws -> SentPart {
        var request = S3Request(
            purpose: .write, method: .PUT, key: key, query: [("partNumber", String(number)), ("uploadId", id)])
        request.carry(part)
        return try await client.send(request) { reply in
            try reply.checkReceived(part.hash)
            guard let tag = reply.headers.first(name: "etag") else {
                throw XMLError(description: "part \(number) has no entity tag")
            }
            return SentPart(number: number, tag: tag, hash: part.hash)
        }
    }

    private func complete(_ key: String, _ upload: Upload, _ parts: [SentPart], bytes: Int64) async throws {
        var request = S3Request(purpose: .write, method: .POST, key: key, query: [("uploadId", upload.id)])
        let body = Completion.body(parts)
        request.carry(LocalFile.Part(bytes: ByteBuffer(bytes: body), hash: body.sha256), withChecksum: false)
        do {
            try await client.send(request) { reply in
                // "…Result" or "…Response"; anything but an error.
                let element = try reply.element()
                guard element.name.hasPrefix("CompleteMultipartUpload") else {
                    throw XMLError(description: "the upload's completion is answered with <\(element.name.prefix(60))>")
                }
            }
        } catch let error as TocsinError where (error.cause as? S3ErrorReply)?.code == "NoSuchUpload" {
            // An earlier attempt may have done it, and its answer got lost.
            guard let object = try await head(key: key), object.bytes == bytes,
                object.changed >= upload.start
            else { throw error }
        }
    }

    /// At most 10,000 parts are allowed; whole MiB.
    static func partSize(of bytes: Int64, preferred: Int64) -> Int64 {
        let mebibyte: Int64 = 1 << 20
        let least = (bytes / 10_000 / mebibyte + 1) * mebibyte
        return bytes / preferred < 10_000 ? preferred : max(preferred, least)
    }
}

extension S3Request {
    /// - Parameter withChecksum: the service keeps it with the object.
    fileprivate mutating func carry(_ part: LocalFile.Part, withChecksum: Bool = true) {
        body = part.bytes
        bodyHash = part.hash
        if withChecksum { headers.append((name: "X-Amz-Checksum-Sha256", value: part.hash.base64)) }
    }
}

extension S3Reply {
    /// A service that computes the checksum says it.
    fileprivate func checkReceived(_ hash: [UInt8]) throws {
        if let got = headers.first(name: "x-amz-checksum-sha256"), !got.contains("-"), got != hash.base64 {
            throw XMLError(description: "the service has other bytes than were sent")
        }
    }
}
