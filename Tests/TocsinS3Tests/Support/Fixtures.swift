import Foundation
import Synchronization
import TocsinCore
import TocsinS3

let testKeys = S3Credentials(accessKey: "TESTKEY", secretKey: "testsecret")

struct FixedClock: WallClock {
    var time: Timestamp
    func now() -> Timestamp { time }
}

/// What was said, and which pauses were made; nothing is waited for.
final class Record: Sendable {
    private let notices = Mutex<[String]>([])
    private let pausesMade = Mutex<[Duration]>([])

    var told: [String] { notices.withLock { $0 } }
    var pauses: [Duration] { pausesMade.withLock { $0 } }

    func storage(
        _ endpoint: String, bucket: String = "plant", prefix: String = "lake", attempts: Int = 4,
        clock: Timestamp? = nil,
        change: (inout S3Settings) -> Void = { _ in }
    ) throws -> S3Storage {
        var settings = S3Settings(
            bucket: bucket, prefix: prefix, endpoint: endpoint, credentials: testKeys, readTimeout: .seconds(20),
            partBytes: 5 << 20)
        settings.retry = S3Retry(
            attempts: attempts, sleep: { pause in self.pausesMade.withLock { $0.append(pause) } }, random: { 0.5 })
        change(&settings)
        return try S3Storage(settings, clock: clock.map { FixedClock(time: $0) } ?? SystemClock()) { text in
            self.notices.withLock { $0.append(text) }
        }
    }
}

/// A folder that goes with the value.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "tocsin-s3-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ bytes: [UInt8], name: String = "file") throws -> String {
        let file = "\(path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// The same for the same seed; does not compress, repeats nowhere.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}

/// What a failing call said.
func failure(_ body: () async throws -> Void) async -> TocsinError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? TocsinError ?? TocsinError(.network, "not a TocsinError: \(error)")
    }
}
