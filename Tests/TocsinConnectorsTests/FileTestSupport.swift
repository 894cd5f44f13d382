import Foundation
import Synchronization
import TocsinConnectors
import TocsinCore
import TocsinDecode
import TocsinTestKit

/// Takes batches and acknowledges them at once.
final class CollectingDelivery: BatchDelivery {
    struct Done: DeliveryReceipt {
        func wait() async throws -> DeliverySummary { DeliverySummary() }
    }

    private let state = Mutex<[Batch]>([])
    var batches: [Batch] { state.withLock { $0 } }
    var values: [Double] { batches.flatMap(\.values) }
    var rejects: [Reject] { batches.flatMap(\.rejects) }

    func enqueue(_ batch: Batch) async throws -> any DeliveryReceipt {
        state.withLock { $0.append(batch) }
        return Done()
    }
}

/// Lets a following source look again only when the test says so.
final class HandSleep: Sendable {
    private struct State {
        var looks = 0
        var isWaiting = false
    }

    private let state = Mutex(State())

    @Sendable func sleep(_: Duration) async throws {
        state.withLock { $0.isWaiting = true }
        while !takeLook() {
            try Task.checkCancellation()
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    private func takeLook() -> Bool {
        state.withLock { state in
            guard state.looks > 0 else { return false }
            state.looks -= 1
            state.isWaiting = false
            return true
        }
    }

    /// Returns when the source has looked so often and sleeps again; false where it does not come back.
    func look(times: Int = 1) async -> Bool {
        guard await eventually({ self.state.withLock { $0.isWaiting } }) else { return false }
        state.withLock { $0.looks = times }
        return await eventually { self.state.withLock { $0.looks == 0 && $0.isWaiting } }
    }
}

/// Waits until the condition holds, at most four minutes: all tests run at once.
func eventually(_ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(240)
    while !condition() {
        if ContinuousClock.now > end { return false }
        try? await Task.sleep(for: .milliseconds(1))
    }
    return true
}

/// A folder of a test's own, removed with it.
final class TestFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-file-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    var path: String { url.path }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let file = url.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        return file.path
    }

    func append(_ name: String, _ bytes: some Sequence<UInt8>) throws {
        let handle = try FileHandle(forWritingTo: url.appendingPathComponent(name))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }

    func rename(_ old: String, _ new: String) throws {
        try FileManager.default.moveItem(at: url.appendingPathComponent(old), to: url.appendingPathComponent(new))
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(at: url.appendingPathComponent(name)) }

    func packed(_ text: String) throws -> Data {
        let plain = try write("\(UUID().uuidString).plain", text)
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/bin/gzip")
        gzip.arguments = [plain]
        try gzip.run()
        gzip.waitUntilExit()
        defer { try? FileManager.default.removeItem(atPath: plain + ".gz") }
        return try Data(contentsOf: URL(fileURLWithPath: plain + ".gz"))
    }
}

/// One JSON message a line, the value being its number.
func lines(_ range: Range<Int>) -> String {
    range.map { #"{"sensor_id":"s","timestamp":\#(1_760_000_000 + $0),"temperature":\#($0)}"# + "\n" }.joined()
}

func fileSource(
    _ paths: [String], follows: Bool = false, table: SeriesTable = SeriesTable(seed: 1), sleep: HandSleep = HandSleep()
) throws -> FileSource {
    try FileSource(
        name: "test", paths: paths, follows: follows, decoding: DecoderSettings(), table: table,
        identity: SourceID(1), clock: HandClock(), sleep: sleep.sleep)
}
