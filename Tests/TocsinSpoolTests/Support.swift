import Foundation
import Synchronization
import TocsinCore
import TocsinSpool

/// SplitMix64: the same numbers in every run.
struct Generator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }
}

/// A folder that is gone when the test is over.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "/tocsin-spool-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func names(_ suffix: String = "") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0.hasSuffix(suffix) }.sorted()
    }

    func read(_ name: String) throws -> [UInt8] {
        let files = SystemFiles()
        let descriptor = try files.open(path + "/" + name, .reading)
        defer { files.close(descriptor) }
        return try files.read(descriptor, at: 0, count: Int(try files.size(descriptor)))
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }
    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/" + name) }

    /// A folder with the same files.
    func copy() throws -> TemporaryFolder {
        let other = TemporaryFolder()
        for name in names() { try other.write(try read(name), name) }
        return other
    }
}

/// Files on a disk that fails as told.
final class FaultyFiles: FileOperations {
    struct Faults {
        /// `errno` of every write.
        var write: Int32?
        /// Bytes that still fit on the disk; writes are cut short there, then fail with ENOSPC.
        var space: Int?
        /// At most so many bytes go out at once.
        var shortWrite: Int?
        /// `errno` of every sync.
        var sync: Int32?
        /// `errno` of every open for writing.
        var open: Int32?
        var isHeld = false
    }

    private let system = SystemFiles()
    private let faults = Mutex(Faults())
    private let gate = NSCondition()
    let syncs = Atomic(0)

    func play(_ change: (inout Faults) -> Void) {
        faults.withLock { change(&$0) }
        gate.broadcast()
    }

    func open(_ path: String, _ access: FileAccess) throws(FileFailure) -> Int32 {
        if case .reading = access {
        } else if let code = faults.withLock({ $0.open }) {
            throw SystemFiles.failure("open", path, code)
        }
        return try system.open(path, access)
    }

    func write(_ descriptor: Int32, _ bytes: Span<UInt8>, at offset: Int64) throws(FileFailure) -> Int {
        let (code, count) = faults.withLock { faults -> (Int32?, Int) in
            if let code = faults.write { return (code, 0) }
            var count = min(bytes.count, faults.shortWrite ?? .max)
            if let space = faults.space {
                if space == 0 { return (ENOSPC, 0) }
                count = min(count, space)
                faults.space = space - count
            }
            return (nil, count)
        }
        if let code { throw SystemFiles.failure("write", "", code) }
        return try system.write(descriptor, bytes.extracting(0..<count), at: offset)
    }

    /// Held: waits until it is not.
    func sync(_ descriptor: Int32) throws(FileFailure) {
        syncs.add(1, ordering: .relaxed)
        gate.lock()
        while faults.withLock({ $0.isHeld }) { _ = gate.wait(until: Date(timeIntervalSinceNow: 0.01)) }
        gate.unlock()
        if let code = faults.withLock({ $0.sync }) { throw SystemFiles.failure("sync", "", code) }
        try system.sync(descriptor)
    }

    func close(_ descriptor: Int32) { system.close(descriptor) }
    func size(_ descriptor: Int32) throws(FileFailure) -> Int64 { try system.size(descriptor) }
    func read(_ descriptor: Int32, at offset: Int64, count: Int) throws(FileFailure) -> [UInt8] {
        try system.read(descriptor, at: offset, count: count)
    }
    func truncate(_ descriptor: Int32, to length: Int64) throws(FileFailure) {
        try system.truncate(descriptor, to: length)
    }
    func lock(_ descriptor: Int32) throws(FileFailure) -> Bool { try system.lock(descriptor) }
    func rename(_ path: String, to target: String) throws(FileFailure) { try system.rename(path, to: target) }
    func remove(_ path: String) throws(FileFailure) { try system.remove(path) }
    func createFolder(_ path: String) throws(FileFailure) { try system.createFolder(path) }
    func syncFolder(_ path: String) throws(FileFailure) { try system.syncFolder(path) }
    func names(in folder: String) throws(FileFailure) -> [String] { try system.names(in: folder) }
}

/// Suspends until it is fulfilled.
final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    init() { (stream, continuation) = AsyncStream.makeStream() }
    func fulfil() { continuation.yield() }
    func wait() async {
        for await _ in stream { return }
    }
}

extension SpoolSettings {
    /// No forcing of the disk, small segments, quick retries.
    static func test(segmentBytes: Int64 = 64 << 20) -> SpoolSettings {
        var settings = SpoolSettings()
        settings.isDurable = false
        settings.flushesEachBatch = true
        settings.segmentBytes = segmentBytes
        settings.rollBytes = 512
        settings.firstRetryDelay = .milliseconds(1)
        settings.longestRetryDelay = .milliseconds(5)
        return settings
    }
}

extension SpoolReader {
    /// All there is, as numbers and payloads.
    func all() throws -> [SpoolRecord] {
        var records: [SpoolRecord] = []
        while let record = try next() { records.append(record) }
        return records
    }
}

/// What a test appended, by number.
func payload(_ sequence: UInt64, count: Int = 20) -> [UInt8] {
    var random = Generator(seed: sequence)
    return random.bytes(count)
}
