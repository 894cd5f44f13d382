import Testing
import TocsinCore
import TocsinStore
import TocsinTestKit

@Suite struct SQLiteOpeningTests {
    @Test func whatWasWrittenIsThereAfterReopening() async throws {
        let folder = try ScratchFolder()
        let first = SeriesTable()
        let store = try SQLiteStore(path: folder.path("deep/er/tocsin.db"), table: first)
        try await store.write([Self.outcome(first, sensors: ["a", "b"])])
        try await store.close()
        // The names come in another order now: ids of a process mean nothing to the next.
        let table = SeriesTable()
        let again = try SQLiteStore(path: folder.path("deep/er/tocsin.db"), table: table)
        try await again.write([Self.outcome(table, sensors: ["c", "b", "a"])])
        #expect(try await again.events(RecordQuery()).map(\.sensor).sorted() == ["a", "b", "c"])
        #expect(try await again.events(RecordQuery(sensor: "b")).first?.readings.first?.unit == "C")
        #expect(try await again.statistics().rows["series"] == 3)
        try await again.close()
    }

    /// A copy of the files of a store in use is what a power cut leaves: every acknowledged row is in it.
    @Test func aCrashLosesNothingThatWasAcknowledged() async throws {
        let folder = try ScratchFolder()
        let table = SeriesTable()
        let path = folder.path("tocsin.db")
        let store = try SQLiteStore(path: path, table: table, settings: SQLiteSettings(unindexedRows: 500))
        for round in 0..<20 {
            var input = StoreInput(table: table)
            for row in 0..<100 { input.event("s\(row % 7)", at: Int64(round * 100 + row), [("t", Double(row))]) }
            input.outcome.alarmChanges = [
                AlarmChange(
                    step: .raised, alarm: StoreInput.alarm(StableHash.hex(UInt64(round)), sensor: "s1", raised: 1))
            ]
            try await store.write([input.outcome])
            guard round % 5 == 4 else { continue }
            let image = folder.path("crash\(round).db")
            try folder.copy(path, to: image)
            try folder.copy(path + "-wal", to: image + "-wal")
            let survivor = try SQLiteStore(path: image, table: SeriesTable())
            #expect(try await survivor.events(RecordQuery(limit: 10_000)).count == (round + 1) * 100)
            let bySensor = try await survivor.events(RecordQuery(sensor: "s3", limit: 10_000))
            #expect(bySensor.count == (round + 1) * 14)
            #expect(try await survivor.openAlarms().count == round + 1)
            try await survivor.close()
        }
        try await store.close()
    }

    @Test func aSecondProcessIsRefusedByName() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        let first = try SQLiteStore(path: path, table: SeriesTable())
        let error = Self.failure { _ = try SQLiteStore(path: path, table: SeriesTable()) }
        #expect(error?.code == .store)
        #expect(error?.place == path)
        #expect(error?.message.contains("process \(folder.processID)") == true)
        #expect(error?.remedy != nil)
        try await first.close()
        try await SQLiteStore(path: path, table: SeriesTable()).close()
    }

    @Test func aReaderNeedsNoLockAndChangesNothing() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        let table = SeriesTable()
        let store = try SQLiteStore(path: path, table: table)
        try await store.write([Self.outcome(table, sensors: ["a"])])
        let reader = try SQLiteStore(path: path, table: SeriesTable(), settings: SQLiteSettings(isReadOnly: true))
        #expect(try await reader.events(RecordQuery(sensor: "a")).count == 1)
        try await store.write([Self.outcome(table, sensors: ["b"])])
        #expect(try await reader.events(RecordQuery()).count == 2)
        await #expect(throws: TocsinError.self) { try await reader.write([Self.outcome(table, sensors: ["c"])]) }
        await #expect(throws: TocsinError.self) { try await reader.removeDeadLetters(ids: [1]) }
        try await reader.close()
        try await store.close()
        let missing = Self.failure {
            _ = try SQLiteStore(
                path: folder.path("none.db"), table: SeriesTable(), settings: SQLiteSettings(isReadOnly: true))
        }
        #expect(missing?.message.contains("cannot be opened") == true)
    }

    @Test(arguments: ["not a database at all, but longer than a header: " + String(repeating: "x", count: 5000), "x"])
    func aFileThatIsNoDatabaseIsLeftAlone(_ text: String) throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        try folder.write(Array(text.utf8), to: path)
        let error = Self.failure { _ = try SQLiteStore(path: path, table: SeriesTable()) }
        #expect(error?.code == .store)
        #expect(error?.place == path)
        #expect(error?.message.contains("not an SQLite database") == true)
        #expect(error?.isRetriable == false)
        #expect(try folder.read(path) == Array(text.utf8))
    }

    @Test func aDamagedDatabaseIsAnErrorAndNeverACrash() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        let table = SeriesTable()
        let store = try SQLiteStore(path: path, table: table)
        for _ in 0..<3 { try await store.write([Self.outcome(table, sensors: (0..<500).map { "s\($0)" })]) }
        try await store.close()
        let whole = try folder.read(path)
        var generator = Generator(state: 7)
        for round in 0..<40 {
            var bytes = whole
            if round % 4 == 0 {
                bytes.removeLast(Int(generator.next() % UInt64(bytes.count - 100)))
            } else {
                for _ in 0..<200 {
                    bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
                }
            }
            let image = folder.path("damaged\(round).db")
            try folder.write(bytes, to: image)
            do {
                let store = try SQLiteStore(path: image, table: table)
                _ = try await store.events(RecordQuery(limit: 10_000))
                _ = try await store.events(RecordQuery(sensor: "s7"))
                try await store.write([Self.outcome(table, sensors: ["s7", "new"])])
                _ = try await store.applyRetention(RetentionPolicy(eventAge: .seconds(1)), now: StoreInput.second(99))
                try await store.close()
            } catch let error as TocsinError {
                #expect(error.code == .store)
                #expect(error.place == image)
            }
        }
    }

    @Test func aDatabaseOfAnotherProgramIsRefused() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        try await SQLiteStore(path: path, table: SeriesTable()).close()
        var bytes = try folder.read(path)
        // The file format keeps application_id at offset 68 (sqlite.org/fileformat.html).
        bytes.replaceSubrange(68..<72, with: [1, 2, 3, 4])
        try folder.write(bytes, to: path)
        let error = Self.failure { _ = try SQLiteStore(path: path, table: SeriesTable()) }
        #expect(error?.message.contains("another program") == true)
        #expect(try folder.read(path) == bytes)
    }

    @Test func aNewerSchemaIsRefused() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        try await SQLiteStore(path: path, table: SeriesTable()).close()
        var bytes = try folder.read(path)
        // The file format keeps user_version at offset 60, big-endian (sqlite.org/fileformat.html).
        bytes[63] = 99
        try folder.write(bytes, to: path)
        let error = Self.failure { _ = try SQLiteStore(path: path, table: SeriesTable()) }
        #expect(error?.message.contains("newer version") == true)
        #expect(error?.message.contains("number 99") == true)
        #expect(error?.remedy?.contains("newer version") == true)
    }

    @Test func anImpossiblePathSaysWhy() throws {
        let folder = try ScratchFolder()
        try folder.write([], to: folder.path("file"))
        for path in [
            folder.path("file/tocsin.db"), folder.path("file/deep/tocsin.db"), "/proc/none/tocsin.db", folder.path(""),
        ] {
            let error = Self.failure { _ = try SQLiteStore(path: path, table: SeriesTable()) }
            #expect(error?.code == .store, "\(path)")
            #expect(error?.place != nil, "\(path)")
        }
    }

    @Test func aTemporaryStoreLeavesNothingBehind() async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table)
        try await store.write([Self.outcome(table, sensors: ["a"])])
        #expect(try ScratchFolder.exists(store.path))
        try await store.close()
        #expect(try !ScratchFolder.exists(store.path))
    }

    static func outcome(_ table: SeriesTable, sensors: [String]) -> BatchOutcome {
        var input = StoreInput(table: table)
        for sensor in sensors { input.event(sensor, at: 1, [("t", 21.5)], unit: "C") }
        return input.outcome
    }

    static func failure(_ body: () throws -> Void) -> TocsinError? {
        do {
            try body()
            return nil
        } catch {
            return error as? TocsinError
        }
    }
}
