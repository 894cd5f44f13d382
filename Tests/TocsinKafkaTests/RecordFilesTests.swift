import Synchronization
import Testing
import TocsinCore
import TocsinKafka

/// Records of partitions as files: the newest counts, whoever writes late.
@Suite struct RecordFilesTests {
    private let storage = MemoryPlace()
    private var records: PartitionRecords { PartitionRecords(storage) }

    private func record(_ name: String, _ sequence: Int64, _ data: [UInt8] = [1, 2, 3]) -> CheckpointRecord {
        CheckpointRecord(
            name: name, sequence: sequence, created: Timestamp(seconds: 1_760_000_000), format: "kafka-partition/1",
            data: data)
    }

    @Test func theNewestIsFoundAndTheOthersGo() async throws {
        #expect(try await records.newest("kafka/g/t/0") == nil)
        // 9 and 10: by number, not by text.
        for sequence in [9, 10, 11] as [Int64] { try await records.save(record("kafka/g/t/0", sequence)) }
        #expect(try await records.newest("kafka/g/t/0") == record("kafka/g/t/0", 11))
        #expect(storage.names.count == 1)
        try await records.save(record("kafka/g/t/0", 11, [7]))
        #expect(try await records.newest("kafka/g/t/0")?.data == [7])
    }

    @Test func aLateWordDoesNotCoverThatOfTheSuccessor() async throws {
        try await records.save(record("kafka/g/t/0", 12, [2]))
        try await records.save(record("kafka/g/t/0", 11, [1]))
        #expect(try await records.newest("kafka/g/t/0") == record("kafka/g/t/0", 12, [2]))
    }

    @Test(arguments: ["../../etc", "a/b", "", ".", "größe 1", "x%2Fy", "owner"])
    func groupsMayBeCalledAnything(group: String) async throws {
        let name = "kafka/\(group)/sensor-events/3"
        try await records.save(record(name, 1))
        try await records.save(record(name + "/owner", 2))
        try await records.save(record("kafka/another/sensor-events/3", 3))
        #expect(try await records.newest(name) == record(name, 1))
        #expect(try await records.newest(name + "/owner") == record(name + "/owner", 2))
        for file in storage.names {
            let parts = file.split(separator: "/", omittingEmptySubsequences: false)
            #expect(parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") && $0.utf8.allSatisfy { $0 < 128 } })
        }
    }

    @Test func differentGroupsAreDifferentFolders() async throws {
        let groups = ["a/b", "a%2Fb", "a b", "a%20b", ".a", "%2Ea"]
        for (number, group) in groups.enumerated() {
            try await records.save(record("kafka/\(group)/t/0", Int64(number)))
        }
        for (number, group) in groups.enumerated() {
            #expect(try await records.newest("kafka/\(group)/t/0")?.sequence == Int64(number))
        }
    }

    @Test func damageKeepsTheSequenceAndHasNoForm() async throws {
        try await records.save(record("kafka/g/t/0", 5))
        let whole = storage.files
        for (name, bytes) in whole {
            for place in bytes.indices {
                storage.files[name]?[place] ^= 0x40
                let found = try await records.newest("kafka/g/t/0")
                #expect(found?.sequence == 5 && found?.format == "unreadable" && found?.data == [])
                storage.files = whole
            }
            storage.files[name] = Array(bytes.prefix(6))
            #expect(try await records.newest("kafka/g/t/0")?.format == "unreadable")
        }
    }

    @Test func aRecordThatGoesBetweenListAndReadIsLookedForAgain() async throws {
        try await records.save(record("kafka/g/t/0", 5))
        storage.beforeRead { storage in
            // As another process does meanwhile.
            storage.files = storage.files.reduce(into: [:]) { $0[$1.key.replacing("5", with: "6")] = $1.value }
        }
        #expect(try await records.newest("kafka/g/t/0")?.sequence == 6)
    }

    @Test func aPlaceThatIsAwayIsAnError() async throws {
        try await records.save(record("kafka/g/t/0", 5))
        storage.isAway = true
        await #expect(throws: TocsinError.self) { try await records.newest("kafka/g/t/0") }
        await #expect(throws: TocsinError.self) { try await records.save(record("kafka/g/t/0", 6)) }
        storage.isAway = false
        #expect(try await records.newest("kafka/g/t/0")?.sequence == 5)
    }
}

/// Files in memory.
final class MemoryPlace: ObjectStorage {
    private struct State {
        var files: [String: [UInt8]] = [:]
        var isAway = false
        var beforeRead: (@Sendable (MemoryPlace) -> Void)?
    }
    let location = "memory://checkpoints"
    private let state = Mutex(State())

    var files: [String: [UInt8]] {
        get { state.withLock { $0.files } }
        set { state.withLock { $0.files = newValue } }
    }
    var names: [String] { files.keys.sorted() }
    var isAway: Bool {
        get { state.withLock { $0.isAway } }
        set { state.withLock { $0.isAway = newValue } }
    }
    /// Once.
    func beforeRead(_ body: @escaping @Sendable (MemoryPlace) -> Void) { state.withLock { $0.beforeRead = body } }

    func put(file path: String, as name: String) async throws { throw TocsinError(.file, "not used", place: path) }
    func put(_ bytes: [UInt8], as name: String) async throws {
        try check()
        state.withLock { $0.files[name] = bytes }
    }
    func get(_ name: String) async throws -> [UInt8] {
        state.withLock { $0.beforeRead.take() }?(self)
        try check()
        guard let bytes = files[name] else { throw TocsinError(.file, "There is no such file.", place: name) }
        return bytes
    }
    func list(prefix: String) async throws -> [StoredObject] {
        try check()
        return files.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }
            .map { StoredObject(name: $0.key, bytes: Int64($0.value.count), changed: Timestamp(nanoseconds: 0)) }
    }
    func delete(_ name: String) async throws {
        try check()
        state.withLock { $0.files[name] = nil }
    }
    private func check() throws {
        if isAway { throw TocsinError(.network, "The place is away.", isRetriable: true) }
    }
}
