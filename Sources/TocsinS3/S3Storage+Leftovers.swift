internal import NIOHTTP1
internal import TocsinCore

extension S3Storage {
    /// Gives an upload up, so that its parts take no room there. A leftover that stays is found at the next start.
    func abort(_ key: String, _ id: String) async {
        let client = client
        // Awaited here; a task of its own because this one may have been cancelled.
        await Task { _ = try? await Self.abort(key, id, client, attempts: 1) }.value
    }

    private static func abort(_ key: String, _ id: String, _ client: S3Client, attempts: Int?) async throws {
        let request = S3Request(
            purpose: .write, method: .DELETE, key: key, query: [("uploadId", id)], attempts: attempts)
        do {
            try await client.send(request) { _ in }
        } catch let error as TocsinError where error.isMissingObject {
        }
    }

    /// All unfinished uploads of keys that begin with `start`.
    func abortUploads(below start: String) async throws -> Int {
        var count = 0
        var marker: (key: String, id: String)?
        repeat {
            var request = S3Request(purpose: .list, method: .GET)
            request.query = [("uploads", ""), ("encoding-type", "url"), ("prefix", start)]
            if let marker { request.query += [("key-marker", marker.key), ("upload-id-marker", marker.id)] }
            let page: UploadsPage
            do {
                page = try await client.send(request) { try UploadsPage($0.element()) }
            } catch let error as TocsinError where (error.cause as? S3ErrorReply)?.code == "NoSuchUpload" {
                // How gofakes3, the core of some small services, says that there are none.
                return count
            } catch let error as TocsinError where (error.cause as? S3ErrorReply).map(Self.isNoSuchRight) == true {
                notice("unfinished uploads of an earlier process are not looked for: \(error.message)")
                return count
            }
            for upload in page.uploads where upload.key.utf8.starts(with: start.utf8) {
                try await Self.abort(upload.key, upload.id, client, attempts: nil)
                count += 1
            }
            if let next = page.next, let marker, next == marker { break }
            marker = page.next
        } while marker != nil
        return count
    }

    /// Listing uploads is a right of its own, and not every service has it.
    private static func isNoSuchRight(_ reply: S3ErrorReply) -> Bool {
        [403, 405, 501].contains(reply.status)
    }
}
