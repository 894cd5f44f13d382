import Foundation
import Synchronization
import Testing
import TocsinCore
import TocsinLake

/// A remote place in memory that can be away.
final class FlakyStorage: ObjectStorage {
    struct State {
        var files: [String: [UInt8]] = [:]
        var order: [String] = []
        var isAway = false
    }
    let location = "memory://lake"
    let state = Mutex(State())

    func put(file path: String, as name: String) async throws {
        try await put(Array(try Data(contentsOf: URL(filePath: path))), as: name)
    }
    func put(_ bytes: [UInt8], as name: String) async throws {
        try state.withLock { state in
            if state.isAway { throw TocsinError(.network, "The place is away.", isRetriable: true) }
            state.files[name] = bytes
            state.order.append(name)
        }
    }
    func get(_ name: String) async throws -> [UInt8] {
        try state.withLock { state in
            guard let bytes = state.files[name] else { throw TocsinError(.network, "There is no such file.") }
            return bytes
        }
    }
    func list(prefix: String) async throws -> [StoredObject] {
        try state.withLock { state in
            if state.isAway { throw TocsinError(.network, "The place is away.", isRetriable: true) }
            return state.files.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }
                .map { StoredObject(name: $0.key, bytes: Int64($0.value.count), changed: Timestamp(nanoseconds: 0)) }
        }
    }
    func delete(_ name: String) async throws { state.withLock { $0.files[name] = nil } }
    func setAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }
}

/// A clock that tests move.
final class HandClock: WallClock {
    private let time: Mutex<Timestamp>
    init(_ time: Timestamp = Timestamp(seconds: 1_760_000_000)) { self.time = Mutex(time) }
    func now() -> Timestamp { time.withLock { $0 } }
    func advance(_ span: Span64) { time.withLock { $0 = $0.advanced(by: span) } }
}

@Suite struct PlacesUploadTests {
    let folder: TestFolder
    let storage = FlakyStorage()
    let clock = HandClock()

    init() throws { folder = try TestFolder() }

    private func queue(_ settings: UploadSettings = UploadSettings(), random: Double = 1) throws -> UploadQueue {
        try UploadQueue(
            folder: folder.file("outgoing"), to: storage, settings: settings, clock: clock, random: { random })
    }

    private func add(_ names: [String], to queue: UploadQueue, content: String? = nil) async throws {
        for name in names {
            try folder.write(Array((content ?? name).utf8), to: "staged")
            try await queue.add(file: folder.file("staged"), as: name)
        }
    }

    @Test func sendsInTheOrderOfComing() async throws {
        let queue = try queue()
        try await add(["z/1", "a/2", "m%2F/3~x"], to: queue)
        #expect(queue.figures.files == 3 && queue.figures.bytes == 14)
        #expect(!FileManager.default.fileExists(atPath: folder.file("staged")))
        for _ in 0..<3 { #expect(try await queue.step() == .sent) }
        #expect(try await queue.step() == .idle)
        #expect(storage.state.withLock { $0.order } == ["z/1", "a/2", "m%2F/3~x"])
        #expect(queue.figures.files == 0 && queue.figures.sentFiles == 3 && queue.figures.sentBytes == 14)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("outgoing")) == [])
    }

    @Test func aNewProcessTakesUpWhatWaits() async throws {
        storage.setAway(true)
        var queue: UploadQueue? = try queue()
        for name in ["b/1", "a/2"] { try await add([name], to: #require(queue)) }
        queue = nil
        // What a copy between two file systems leaves when it is killed.
        try folder.write([1], to: "outgoing/00000000000000000009~c.new")
        storage.setAway(false)
        let again = try self.queue()
        #expect(again.names == ["b/1", "a/2"])
        try await add(["0/3"], to: again)
        while try await again.step() == .sent {}
        #expect(storage.state.withLock { $0.order } == ["b/1", "a/2", "0/3"])
    }

    @Test func theSameNameTakesItsEarlierPlace() async throws {
        let queue = try queue()
        try await add(["a", "b"], to: queue, content: "old")
        try await add(["a"], to: queue, content: "newer")
        #expect(queue.names == ["a", "b"] && queue.figures.bytes == 8)
        while try await queue.step() == .sent {}
        #expect(try await storage.get("a") == Array("newer".utf8))
    }

    @Test func waitsLongerAndLongerWhileItIsAway() async throws {
        var settings = UploadSettings()
        settings.firstRetryDelay = .seconds(1)
        settings.longestRetryDelay = .seconds(5)
        let queue = try queue(settings)
        storage.setAway(true)
        try await add(["a"], to: queue)
        let away = clock.now()
        for seconds in [1, 2, 4, 5, 5] as [Int64] {
            #expect(try await queue.step() == .failed(.seconds(seconds)))
            clock.advance(.seconds(10))
        }
        let figures = queue.figures
        #expect(figures.awaySince == away && figures.failures == 5 && figures.oldestSeconds == 50)
        #expect(figures.lastError?.contains("away") == true)
        storage.setAway(false)
        #expect(try await queue.step() == .sent)
        #expect(queue.figures.awaySince == nil && queue.figures.lastError == nil)
    }

    @Test func chanceShortensAWaitByUpToAHalf() async throws {
        let queue = try queue(random: 0)
        storage.setAway(true)
        try await add(["a"], to: queue)
        #expect(try await queue.step() == .failed(.milliseconds(250)))
    }

    @Test func hasNoRoomAtItsLimit() async throws {
        var settings = UploadSettings()
        settings.maximumBytes = 4
        let queue = try queue(settings)
        try await add(["abc"], to: queue)
        #expect(queue.hasRoom)
        try await add(["def"], to: queue)
        #expect(!queue.hasRoom)
        #expect(try await queue.step() == .sent)
        #expect(queue.hasRoom)
    }
}
