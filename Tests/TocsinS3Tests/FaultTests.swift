import NIOHTTP1
import Testing
import TocsinCore
import TocsinS3

/// Against a service that misbehaves as told.
@Suite(.timeLimit(.minutes(5))) struct FaultTests {
    let record = Record()

    func put(_ service: FakeService, bytes: [UInt8] = [1, 2, 3], attempts: Int = 4) async throws {
        let folder = try TestFolder()
        try await record.storage(service.endpoint, attempts: attempts).put(
            file: try folder.file(bytes), as: "a/b.parquet")
    }

    @Test func busyThenFine() async throws {
        let service = try await FakeService { _, count in
            count < 2 ? .error(503, "SlowDown", headers: count == 1 ? [("Retry-After", "2")] : []) : nil
        }
        try await put(service)
        #expect(service.objects["/plant/lake/a/b.parquet"] == [1, 2, 3])
        #expect(record.pauses == [.milliseconds(150), .seconds(2)])
    }

    @Test func alwaysBusyEnds() async throws {
        let service = try await FakeService { _, _ in .error(503, "SlowDown") }
        let error = await failure { try await put(service) }
        #expect(error?.isRetriable == true)
        #expect(error?.message == "the service is too busy, 4 times")
        #expect(error?.place == "s3://plant/lake/a/b.parquet at \(service.endpoint)")
        #expect(record.pauses.count == 3)
    }

    @Test func pausesGrowToALimit() async throws {
        let service = try await FakeService { _, _ in .answer(500) }
        _ = await failure { try await put(service, attempts: 9) }
        let milliseconds = [150, 300, 600, 1200, 2400, 4800, 7500, 7500]
        #expect(record.pauses == milliseconds.map { .milliseconds($0) })
    }

    @Test func onePartFailsAndIsSentAgainAlone() async throws {
        let bytes = noise((11 << 20) + 5)
        let first = FirstTime()
        let failing = try await FakeService { request, _ in
            request.partNumber == 2 && first.isFirst() ? .error(500, "InternalError") : nil
        }
        try await put(failing, bytes: bytes)
        #expect(failing.objects["/plant/lake/a/b.parquet"] == bytes)
        #expect(failing.requests.compactMap(\.partNumber).sorted() == [1, 2, 2, 3])
    }

    @Test func anUploadThatIsGivenUpIsAborted() async throws {
        let service = try await FakeService { request, _ in request.partNumber == 2 ? .error(500, "InternalError") : nil
        }
        let error = await failure { try await put(service, bytes: noise(11 << 20), attempts: 2) }
        #expect(error?.isRetriable == true)
        #expect(service.openUploads == 0)
        #expect(service.objects.isEmpty)
        #expect(service.requests.contains { $0.method == "DELETE" })
    }

    @Test func aCancelledUploadIsAborted() async throws {
        let service = try await FakeService { request, _ in request.partNumber == 2 ? .silence : nil }
        let record = record
        let upload = Task {
            let folder = try TestFolder()
            try await record.storage(service.endpoint).put(file: try folder.file(noise(11 << 20)), as: "a")
        }
        while !service.requests.contains(where: { $0.partNumber == 2 }) { try? await Task.sleep(for: .milliseconds(1)) }
        upload.cancel()
        await #expect(throws: CancellationError.self) { try await upload.value }
        #expect(service.openUploads == 0)
    }

    @Test func anErrorInAnAnswerOf200IsAnError() async throws {
        let first = FirstTime()
        let service = try await FakeService { request, _ in
            request.method == "POST" && request.has("uploadId") && first.isFirst() ? .error(200, "InternalError") : nil
        }
        try await put(service, bytes: noise(6 << 20))
        #expect(service.objects.count == 1)
        #expect(service.requests.filter { $0.method == "POST" }.count == 3)
        let never = try await FakeService { request, _ in
            request.method == "POST" && request.has("uploadId") ? .error(200, "InternalError") : nil
        }
        #expect(await failure { try await put(never, bytes: noise(6 << 20)) }?.isRetriable == true)
        #expect(never.openUploads == 0)
    }

    @Test func aLostAnswerToTheCompletionIsFoundOut() async throws {
        // The first completion works, its answer is lost; the second finds no upload.
        let first = FirstTime()
        let service = try await FakeService { request, _ in
            guard request.method == "POST", request.has("uploadId") else {
                return request.method == "HEAD"
                    ? .answer(
                        200, [("Last-Modified", "Sat, 21 Nov 2099 12:00:00 GMT")],
                        String(repeating: "x", count: 6 << 20))
                    : nil
            }
            return first.isFirst() ? .reset : .error(404, "NoSuchUpload")
        }
        try await put(service, bytes: noise(6 << 20))
        #expect(service.requests.filter { $0.has("uploads") }.count == 1)
    }

    @Test func anUploadThatSomebodyTidiedAwayIsSentAnew() async throws {
        let first = FirstTime()
        let service = try await FakeService { request, _ in
            request.partNumber == 1 && first.isFirst() ? .error(404, "NoSuchUpload") : nil
        }
        try await put(service, bytes: noise(6 << 20))
        #expect(service.objects.count == 1)
        #expect(service.requests.filter { $0.has("uploads") }.count == 2)
    }

    @Test func leftoversAreFoundAndAborted() async throws {
        let service = try await FakeService { request, _ in
            guard request.method == "GET", request.has("uploads") else { return nil }
            let isFirst = !request.has("key-marker")
            let upload = { (key: String, id: String) in "<Upload><Key>\(key)</Key><UploadId>\(id)</UploadId></Upload>" }
            return .answer(
                200, [],
                "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>\(isFirst)</IsTruncated>"
                    + "<NextKeyMarker>lake/a+b</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>"
                    + (isFirst ? upload("lake/a+b", "1") + upload("other/x", "3") : upload("lake/c", "2"))
                    + "</ListMultipartUploadsResult>")
        }
        #expect(try await record.storage(service.endpoint).prepare() == 2)
        let aborted = service.requests.filter { $0.method == "DELETE" }.map(\.target)
        #expect(aborted == ["/plant/lake/a%20b?uploadId=1", "/plant/lake/c?uploadId=2"])
        #expect(service.requests[3].target.contains("key-marker=lake%2Fa%20b"))
    }

    @Test func aMissingRightToListUploadsIsOnlyTold() async throws {
        let service = try await FakeService { request, _ in request.has("uploads") ? .error(403, "AccessDenied") : nil }
        #expect(try await record.storage(service.endpoint).prepare() == 0)
        #expect(record.told.count == 1)
    }

    @Test func aResetInTheMidstOfABodyIsReadAgain() async throws {
        let service = try await FakeService { _, count in
            switch count {
            case 0: .cutOff(announced: 10, "abc")
            case 1: .reset
            default: .answer(200, [], "abcdefghij")
            }
        }
        #expect(try await record.storage(service.endpoint).get("x") == Array("abcdefghij".utf8))
        #expect(service.requests.count == 3)
    }

    @Test func aSlowBodyIsWaitedFor() async throws {
        let service = try await FakeService { _, _ in .slow("slowly but surely") }
        let storage = try record.storage(service.endpoint) { $0.readTimeout = .seconds(2) }
        #expect(try await storage.get("x") == Array("slowly but surely".utf8))
        #expect(service.requests.count == 1)
    }

    @Test func silenceEndsInTime() async throws {
        let service = try await FakeService { _, _ in .silence }
        let storage = try record.storage(service.endpoint, attempts: 2) { $0.readTimeout = .milliseconds(100) }
        let error = await failure { _ = try await storage.get("x") }
        #expect(error?.message == "the service did not answer in time, 2 times")
        #expect(error?.isRetriable == true)
    }

    @Test func nobodyThere() async throws {
        let error = await failure { _ = try await record.storage("http://127.0.0.1:1").get("x") }
        #expect(error?.message == "the connection was refused, 4 times")
        #expect(error?.isRetriable == true)
        #expect(error?.code == .network)
    }

    @Test func aWrongClockIsCorrectedAndToldOnce() async throws {
        let service = try await FakeService { request, _ in
            let date = ("Date", "Sat, 21 Nov 2026 12:00:00 GMT")
            return request.headers.first(name: "x-amz-date")?.hasPrefix("20261121T1200") == true
                ? nil : .error(403, "RequestTimeTooSkewed", headers: [date])
        }
        let storage = try record.storage(service.endpoint, clock: Timestamp(iso8601: "2026-11-21T11:34:00Z"))
        let folder = try TestFolder()
        for name in ["a", "b"] { try await storage.put(file: try folder.file([7]), as: name) }
        #expect(service.objects.count == 2)
        #expect(service.requests.count == 3)
        #expect(record.told.count == 1)
        #expect(record.told.first?.contains("this machine's clock is 26 min behind the service's") == true)
        #expect(record.pauses.isEmpty)
    }

    @Test func aClockThatIsNeverRightEndsWithTheDifference() async throws {
        let service = try await FakeService { _, _ in
            .error(403, "RequestTimeTooSkewed", headers: [("Date", "Sat, 21 Nov 2026 12:00:00 GMT")])
        }
        let storage = try record.storage(service.endpoint, clock: Timestamp(iso8601: "2026-11-21T15:00:00Z"))
        let error = await failure { _ = try await storage.get("x") }
        #expect(error?.message.contains("this machine's clock is 3 h ahead of the service's") == true)
        #expect(error?.isRetriable == false)
        #expect(service.requests.count == 2)
    }

    @Test func anotherRegionIsTakenAndTold() async throws {
        let service = try await FakeService { request, _ in
            request.headers.first(name: "authorization")?.contains("/eu-west-1/s3/") == true
                ? nil : .error(301, "PermanentRedirect", headers: [("x-amz-bucket-region", "eu-west-1")])
        }
        let storage = try record.storage(service.endpoint)
        #expect(try await storage.list(prefix: "") == [])
        #expect(try await storage.list(prefix: "") == [])
        #expect(service.requests.count == 3)
        #expect(
            record.told == [
                "s3://plant is in region eu-west-1, not us-east-1; it is used from now on; set lake.s3.region (AWS_REGION)"
            ])
        #expect(storage.region == "eu-west-1")
    }

    @Test func aRedirectToNowhereIsAnError() async throws {
        let service = try await FakeService { _, _ in
            .error(307, "TemporaryRedirect", headers: [("Location", "http://elsewhere.test/plant/x")])
        }
        let error = await failure { _ = try await record.storage(service.endpoint).get("x") }
        #expect(error?.message == "the bucket plant is at elsewhere.test")
        #expect(service.requests.count == 1)
    }

    @Test(arguments: [
        (403, "SignatureDoesNotMatch", "the secret key does not belong to access key TESTKEY"),
        (403, "InvalidAccessKeyId", "access key TESTKEY is not known there"),
        (403, "AccessDenied", "access key TESTKEY may not read there"),
        (400, "ExpiredToken", "the temporary keys of access key TESTKEY have expired"),
        (404, "NoSuchBucket", "there is no bucket plant"), (404, "NoSuchKey", "there is no such object"),
        (400, "InvalidArgument", "the service refuses the request"),
        (501, "NotImplemented", "the service refuses the request"),
    ])
    func whatWaitingCannotHelpIsSaidAtOnce(_ status: Int, _ code: String, _ message: String) async throws {
        let service = try await FakeService { _, _ in .error(status, code) }
        let error = await failure { _ = try await record.storage(service.endpoint).get("x") }
        #expect(error?.message == message)
        #expect(error?.isRetriable == false)
        #expect(error?.description.contains("\(status) \(code): as the test wants") == true)
        #expect(service.requests.count == 1)
    }

    @Test func newKeysInTheFileAreTriedAtOnce() async throws {
        let folder = try TestFolder()
        @Sendable func write(_ key: String) throws -> String {
            try folder.file(Array("[default]\naws_access_key_id=\(key)\naws_secret_access_key=s\n".utf8), name: "keys")
        }
        let path = try write("OLD")
        let service = try await FakeService { request, _ in
            guard request.headers.first(name: "authorization")?.contains("=OLD/") == true else { return nil }
            _ = try? write("RENEWED")
            return .error(400, "ExpiredToken")
        }
        let storage = try record.storage(service.endpoint) {
            $0.credentials = nil
            $0.credentialsFile = path
        }
        #expect(try await storage.list(prefix: "") == [])
        #expect(service.requests.count == 2)
    }

    @Test func brokenXMLIsAnErrorAfterTrying() async throws {
        let service = try await FakeService { _, _ in .answer(200, [], "<ListBucketResult><Contents><Key>a") }
        let error = await failure { _ = try await record.storage(service.endpoint).list(prefix: "") }
        #expect(error?.message.contains("cannot be read: it ends too early") == true)
        #expect(service.requests.count == 4)
    }

    @Test func aListGoesOnAndIsInOrder() async throws {
        let service = try await FakeService { request, _ in
            func page(_ keys: [String], more: String) -> FakeReply {
                let entries = keys.map {
                    "<Contents><Key>\($0)</Key><Size>5</Size><LastModified>2026-11-21T12:00:00.000Z</LastModified></Contents>"
                }
                return .answer(200, [], "<ListBucketResult>\(more)\(entries.joined())</ListBucketResult>")
            }
            return request.has("continuation-token=t%2F%2B1")
                ? page(["lake/b", "lake/%C3%A9+x%2B"], more: "<EncodingType>url</EncodingType>")
                : page(
                    ["lake/c", "lake/", "lake/d/"],
                    more: "<IsTruncated>true</IsTruncated><NextContinuationToken>t/+1</NextContinuationToken>")
        }
        let objects = try await record.storage(service.endpoint).list(prefix: "")
        #expect(objects.map(\.name) == ["b", "c", "é x+"])
        #expect(
            objects.first
                == StoredObject(name: "b", bytes: 5, changed: Timestamp(nanoseconds: 1_795_262_400_000_000_000)))
    }

    @Test(arguments: ["", "a//b", "/a", "a/", "a/../b", ".", "a\u{0}", String(repeating: "x", count: 1100)])
    func namesThatServicesChangeAreRefused(_ name: String) async throws {
        let storage = try record.storage("http://127.0.0.1:1")
        #expect(await failure { try await storage.delete(name) }?.code == .usage)
    }

    @Test func aMissingFileIsNamed() async throws {
        let storage = try record.storage("http://127.0.0.1:1")
        #expect(await failure { try await storage.put(file: "/nowhere/x", as: "x") }?.place == "/nowhere/x")
        #expect(await failure { try await storage.put(file: "/", as: "x") }?.code == .file)
    }

    @Test func bodiesAreSignedAndCarryTheirChecksum() async throws {
        let service = try await FakeService()
        try await put(service, bytes: Array("Welcome to Amazon S3.".utf8))
        let headers = try #require(service.requests.first).headers
        #expect(
            headers.first(name: "x-amz-content-sha256")
                == "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
        #expect(headers.first(name: "x-amz-checksum-sha256") == "RM591nyVng01JP+sF3Hfu6h9K2tLTpnkIDSouAP4sHI=")
        #expect(headers.first(name: "content-length") == "21")
    }

    @Test func aServiceWithOtherBytesIsNotBelieved() async throws {
        let service = try await FakeService { _, count in
            count == 0 ? .answer(200, [("x-amz-checksum-sha256", "AAAA")]) : nil
        }
        try await put(service)
        #expect(service.requests.count == 2)
        let reading = try await FakeService { _, count in
            .answer(
                200, [("x-amz-checksum-sha256", "RM591nyVng01JP+sF3Hfu6h9K2tLTpnkIDSouAP4sHI=")],
                count == 0 ? "Welcome to Amazon S4." : "Welcome to Amazon S3.")
        }
        #expect(try await record.storage(reading.endpoint).get("x") == Array("Welcome to Amazon S3.".utf8))
    }
}
