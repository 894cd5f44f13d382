import GRDB
import Testing
import TocsinCore
import TocsinStore
import TocsinTestKit

/// Databases of earlier versions open, and say what they said.
@Suite struct SQLiteMigrationTests {
    /// Schema 1 kept every window as a row of its own.
    @Test(arguments: [0, 1, 3, 700])
    func windowsOfSchemaOneAreRead(_ count: Int) async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        try Self.makeSchemaOne(path, windows: count)
        let readOnly = SQLiteOpeningTests.failure {
            _ = try SQLiteStore(path: path, table: SeriesTable(), settings: SQLiteSettings(isReadOnly: true))
        }
        #expect(readOnly?.message.contains("older version") == true)

        let table = SeriesTable()
        let store = try SQLiteStore(path: path, table: table)
        #expect(try await store.text("PRAGMA user_version") == ["5"])
        #expect(try await store.events(RecordQuery(sensor: "pump")).map(\.payload) == [Array("{}".utf8)])
        let windows = try await store.windows(RecordQuery(sensor: "pump", metric: "t", limit: 1000))
        #expect(windows.map(\.start) == (0..<count).reversed().map { StoreInput.second(Int64($0) * 10) })
        for (row, window) in zip((0..<count).reversed(), windows) {
            #expect(window.statistics.count == WindowStatistic.columns)
            #expect(window.statistics.prefix(27).elementsEqual((0..<27).map { Double(row) + Double($0) / 7 }))
            // That version had one statistic less.
            #expect(window.statistics[27].isNaN)
            #expect(row % 2 == 0 ? window.score.isNaN : window.score == 0.5)
            #expect(window.end == window.start.advanced(by: .minutes(1)))
        }
        #expect(try await store.windows(RecordQuery(sensor: "pump", metric: "u", limit: 1000)).count == count / 3)
        #expect(try await store.statistics().rows["windows"] == count + count / 3)
        #expect(try await store.text("SELECT count(*) FROM windows") == ["\(count + count / 3)"])

        // Life goes on: the same window of more readings takes the place of the old one.
        var input = StoreInput(table: table)
        input.window("pump", "t", start: 0, base: 5000, score: 0.75)
        try await store.write([input.outcome])
        let oldest = try await store.windows(RecordQuery(sensor: "pump", metric: "t", end: StoreInput.second(1)))
        #expect(oldest.map(\.score) == [0.75])
        try await store.close()
        let again = try SQLiteStore(path: path, table: SeriesTable())
        #expect(try await again.windows(RecordQuery(sensor: "pump", metric: "t", limit: 1000)).count == max(1, count))
        try await again.close()
    }

    /// A step that fails leaves the version before it.
    @Test func aFailedStepChangesNothing() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        try Self.makeSchemaOne(path, windows: 3)
        let queue = try DatabaseQueue(path: path)
        try await queue.write { try $0.execute(sql: "CREATE TABLE window_chunks (mine INTEGER)") }
        let error = SQLiteOpeningTests.failure { _ = try SQLiteStore(path: path, table: SeriesTable()) }
        #expect(error?.place == path)
        let left = try await queue.read { database in
            (
                try Int.fetchOne(database, sql: "PRAGMA user_version"),
                try Int.fetchOne(database, sql: "SELECT count(*) FROM windows")
            )
        }
        #expect(left.0 == 1)
        #expect(left.1 == 4)
        try queue.close()
    }

    /// Killed at any moment of a migration, a process leaves a database that the next one brings up to date.
    @Test func aMigrationThatIsKilledIsTakenUpAgain() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        try Self.makeSchemaOne(path, windows: 700)
        var images: [(path: String, version: Int)] = []
        try SQLiteStore.migrate(path: path) { step, isCommitted in
            // The files as they are at this moment, in use, are what a killed process leaves.
            let image = folder.path("killed-\(step)-\(isCommitted).db")
            try folder.copy(path, to: image)
            try folder.copy(path + "-wal", to: image + "-wal")
            images.append((image, isCommitted ? step : step - 1))
        }
        let known = try SQLiteStore.schemaStatus(path: path).knownVersion
        #expect(images.count == 2 * (known - 1))
        let expected = try await Self.contents(path)
        for image in images {
            #expect(try SQLiteStore.schemaStatus(path: image.path).version == image.version, "\(image)")
            #expect(try await Self.contents(image.path) == expected, "\(image)")
            #expect(try SQLiteStore.schemaStatus(path: image.path).version == known, "\(image)")
        }
    }

    /// Of two processes at once one migrates; the other is refused, and finds the work done when it comes again.
    @Test func oneOfTwoProcessesMigrates() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        try Self.makeSchemaOne(path, windows: 700)
        var refused: [TocsinError?] = []
        var steps = 0
        try SQLiteStore.migrate(path: path) { _, isCommitted in
            steps += isCommitted ? 1 : 0
            refused.append(SQLiteOpeningTests.failure { try SQLiteStore.migrate(path: path) { _, _ in } })
        }
        #expect(refused.allSatisfy { $0?.message.contains("in use by process \(folder.processID)") == true })
        #expect(steps == 4)
        try SQLiteStore.migrate(path: path) { _, _ in steps += 1 }
        #expect(steps == 4)
    }

    @Test func theStatusSaysWhatIsToComeAndChangesNothing() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("to csin?.db")
        let none = try SQLiteStore.schemaStatus(path: path)
        #expect(none.version == 0 && none.stepsToCome.count == none.knownVersion && !none.isNewer)
        #expect(try !ScratchFolder.exists(path))
        try Self.makeSchemaOne(path, windows: 3)
        let bytes = try folder.read(path)
        let status = try SQLiteStore.schemaStatus(path: path)
        #expect(status.version == 1 && status.place == path)
        #expect(status.stepsToCome.map(\.number) == Array(2...status.knownVersion))
        #expect(status.stepsToCome.allSatisfy { $0.sql.contains("CREATE TABLE") && !$0.title.isEmpty })
        #expect(try folder.read(path) == bytes)
        for suffix in ["-wal", "-shm", ".lock", "-journal"] { #expect(try !ScratchFolder.exists(path + suffix)) }

        // While a writer has it open, and after a newer program has been at it.
        let store = try SQLiteStore(path: path, table: SeriesTable())
        #expect(try SQLiteStore.schemaStatus(path: path).stepsToCome.isEmpty)
        try await store.close()
        var newer = try folder.read(path)
        newer[63] = 99
        try folder.write(newer, to: path)
        let after = try SQLiteStore.schemaStatus(path: path)
        #expect(after.isNewer && after.version == 99 && after.stepsToCome.isEmpty)
        try folder.write(Array(repeating: UInt8(ascii: "x"), count: 5000), to: path)
        let error = SQLiteOpeningTests.failure { _ = try SQLiteStore.schemaStatus(path: path) }
        #expect(error?.message.contains("not an SQLite database") == true)
    }

    private static func contents(_ path: String) async throws -> [String] {
        let store = try SQLiteStore(path: path, table: SeriesTable())
        let text =
            try await store.text("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            + (try await store.windows(RecordQuery(limit: 10_000)).map { "\($0)" })
            + (try await store.events(RecordQuery(limit: 10_000)).map { "\($0)" })
        try await store.close()
        return text
    }

    private static func makeSchemaOne(_ path: String, windows count: Int) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            try database.execute(sql: schemaOne)
            try database.execute(
                sql: """
                    INSERT INTO sensors VALUES (1, 'pump', NULL, 0, 0);
                    INSERT INTO series VALUES (1, 1, 't', 'C'), (2, 1, 'u', NULL);
                    INSERT INTO sensor_events VALUES (1, 1, \(StoreInput.second(1).nanoseconds), 7, 0, 'test', 0, '{"t":1}',
                        CAST('{}' AS BLOB));
                    """)
            for row in 0..<count {
                for series in 1...(row % 3 == 2 ? 2 : 1) {
                    try database.execute(sql: window(row, series))
                }
            }
        }
        try queue.close()
    }

    private static func window(_ row: Int, _ series: Int) -> String {
        let bytes = (0..<27).flatMap { column in
            withUnsafeBytes(of: (Double(row) + Double(column) / 7).bitPattern.littleEndian) { Array($0) }
        }
        let digits = bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        return """
            INSERT INTO windows (start, series_id, size, slide, count, mean, minimum, maximum, standard_deviation,
                score, statistics)
            VALUES (\(StoreInput.second(Int64(row) * 10).nanoseconds), \(series), 60000000000, 10000000000, \(row), 1, 1, 1,
                NULL, \(row % 2 == 0 ? "NULL" : "0.5"), X'\(digits)')
            """
    }

    /// As the first published version made it.
    private static let schemaOne = """
        CREATE TABLE sensors (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            zone TEXT,
            first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL
        );
        CREATE TABLE series (
            id INTEGER PRIMARY KEY,
            sensor_id INTEGER NOT NULL REFERENCES sensors (id),
            metric TEXT NOT NULL,
            unit TEXT,
            UNIQUE (sensor_id, metric)
        );
        CREATE INDEX series_metric ON series (metric);

        CREATE TABLE sensor_events (
            id INTEGER PRIMARY KEY,
            sensor_id INTEGER NOT NULL,
            time INTEGER NOT NULL,
            event_key INTEGER NOT NULL,
            received INTEGER NOT NULL,
            source TEXT NOT NULL,
            late INTEGER NOT NULL,
            readings TEXT NOT NULL,
            payload BLOB NOT NULL
        );
        CREATE UNIQUE INDEX sensor_events_key ON sensor_events (time, sensor_id, event_key);
        CREATE TABLE sensor_event_runs (
            run INTEGER PRIMARY KEY,
            first_id INTEGER NOT NULL,
            last_id INTEGER NOT NULL,
            first_time INTEGER NOT NULL,
            last_time INTEGER NOT NULL
        );
        CREATE TABLE sensor_event_index (
            run INTEGER NOT NULL,
            sensor_id INTEGER NOT NULL,
            time INTEGER NOT NULL,
            row INTEGER NOT NULL,
            PRIMARY KEY (run, sensor_id, time, row)
        ) WITHOUT ROWID;

        CREATE TABLE windows (
            id INTEGER PRIMARY KEY,
            start INTEGER NOT NULL,
            series_id INTEGER NOT NULL,
            size INTEGER NOT NULL,
            slide INTEGER NOT NULL,
            count INTEGER NOT NULL,
            mean REAL,
            minimum REAL,
            maximum REAL,
            standard_deviation REAL,
            score REAL,
            statistics BLOB NOT NULL
        );
        CREATE UNIQUE INDEX windows_key ON windows (start, series_id, size, slide);
        CREATE TABLE window_runs (
            run INTEGER PRIMARY KEY,
            first_id INTEGER NOT NULL,
            last_id INTEGER NOT NULL,
            first_time INTEGER NOT NULL,
            last_time INTEGER NOT NULL
        );
        CREATE TABLE window_index (
            run INTEGER NOT NULL,
            series_id INTEGER NOT NULL,
            start INTEGER NOT NULL,
            row INTEGER NOT NULL,
            PRIMARY KEY (run, series_id, start, row)
        ) WITHOUT ROWID;

        CREATE TABLE anomalies (
            id TEXT NOT NULL PRIMARY KEY,
            alarm_id TEXT,
            sensor_id INTEGER NOT NULL REFERENCES sensors (id),
            metric TEXT,
            kind TEXT NOT NULL,
            detector TEXT NOT NULL,
            model TEXT NOT NULL,
            start INTEGER NOT NULL,
            time INTEGER NOT NULL,
            value REAL,
            expected_low REAL,
            expected_high REAL,
            score REAL,
            p_value REAL,
            contributions TEXT NOT NULL,
            sentence TEXT NOT NULL
        );
        CREATE INDEX anomalies_time ON anomalies (time);
        CREATE INDEX anomalies_sensor_time ON anomalies (sensor_id, time);

        CREATE TABLE alarms (
            id TEXT NOT NULL PRIMARY KEY,
            sensor_id INTEGER NOT NULL REFERENCES sensors (id),
            metric TEXT,
            kind TEXT NOT NULL,
            state TEXT NOT NULL,
            severity TEXT NOT NULL,
            raised INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            cleared INTEGER,
            verdicts INTEGER NOT NULL,
            score REAL,
            p_value REAL,
            sentence TEXT NOT NULL
        );
        CREATE INDEX alarms_raised ON alarms (raised);
        CREATE INDEX alarms_sensor_raised ON alarms (sensor_id, raised);
        CREATE INDEX alarms_open ON alarms (raised) WHERE state = 'open';

        CREATE TABLE models (
            name TEXT NOT NULL,
            version INTEGER NOT NULL,
            origin TEXT NOT NULL,
            created INTEGER NOT NULL,
            format TEXT NOT NULL,
            summary TEXT NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (name, version)
        );

        CREATE TABLE dead_letters (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            reason TEXT NOT NULL,
            detail TEXT NOT NULL,
            source TEXT NOT NULL,
            position INTEGER NOT NULL,
            received INTEGER NOT NULL,
            payload BLOB NOT NULL,
            readings INTEGER NOT NULL,
            content_key INTEGER NOT NULL,
            UNIQUE (source, position, content_key)
        );
        CREATE INDEX dead_letters_received ON dead_letters (received);
        CREATE INDEX dead_letters_reason ON dead_letters (reason, received);

        CREATE TABLE meta (
            key TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        );
        PRAGMA application_id = 1416586099;
        PRAGMA user_version = 1;
        """
}
