internal import GRDB
internal import TocsinCore

/// The tables of the database and how older databases become today's. docs/schema.md describes every column.
enum SQLiteSchema {
    /// "Tocs" in ASCII, in the file's header: `file` and SQLite's tools can tell whose database it is.
    static let applicationID: Int64 = 0x546f_6373

    /// Numbered steps, applied in order and once each; the number of the last is the file's `user_version`.
    /// A published step is never edited: a change is a new step.
    static let migrations: [Step] = [.sql(first), .program(packWindows), .sql(decisions)]

    enum Step: Sendable {
        case sql(String)
        case program(@Sendable (Database) throws -> Void)

        func run(_ database: Database) throws {
            switch self {
            case .sql(let text): try database.execute(sql: text)
            case .program(let body): try body(database)
            }
        }
    }

    static var version: Int64 { Int64(migrations.count) }

    /// Brings the database to today's version. Each step is one transaction, so that a crash leaves a whole version.
    static func migrate(_ database: Database) throws {
        let present = try database.integer("PRAGMA user_version") ?? 0
        for number in Int(present)..<max(migrations.count, Int(present)) {
            try database.inTransaction(.immediate) {
                try migrations[number].run(database)
                try database.execute(sql: "PRAGMA application_id = \(applicationID)")
                try database.execute(sql: "PRAGMA user_version = \(number + 1)")
                return .commit
            }
        }
    }

    /// Refuses databases that are not Tocsin's or that a newer Tocsin made, before anything in them is changed.
    /// - Parameter isReadOnly: refuses an older schema too, because it cannot be brought up to date.
    static func inspect(_ database: Database, path: String, isReadOnly: Bool) throws {
        let owner = try database.integer("PRAGMA application_id") ?? 0
        let version = try database.integer("PRAGMA user_version") ?? 0
        let tables = try database.integer("SELECT count(*) FROM sqlite_schema") ?? 0
        guard owner == applicationID || (owner == 0 && tables == 0) else {
            throw TocsinError(
                .store, "the file is a database of another program", place: path,
                remedy: "Give another path; nothing in this file was changed.")
        }
        guard (0...self.version).contains(version) else {
            throw TocsinError(
                .store,
                "the database was made by a newer version of the program: its schema is number \(version), "
                    + "and this program knows schemas up to \(self.version)", place: path,
                remedy: "Install the newer version, or give another path; nothing in this file was changed.")
        }
        guard !isReadOnly || version == 0 || version == self.version else {
            throw TocsinError(
                .store, "the database was made by an older version of the program and is open for reading only",
                place: path, remedy: "Start the program on it once; that brings it up to date.")
        }
    }

    /// Step 3: why an anomaly raised no alarm, alarms told in a summary, first causes, answers of people.
    private static let decisions = """
        ALTER TABLE anomalies ADD COLUMN note TEXT;
        ALTER TABLE alarms ADD COLUMN summary TEXT;
        ALTER TABLE alarms ADD COLUMN cause TEXT;
        CREATE INDEX alarms_summary ON alarms (summary) WHERE summary IS NOT NULL;
        CREATE INDEX anomalies_alarm ON anomalies (alarm_id);
        CREATE TABLE feedback (
            alarm_id TEXT NOT NULL PRIMARY KEY,
            word TEXT NOT NULL,
            recurrence TEXT,
            sensor TEXT NOT NULL,
            metric TEXT,
            kind TEXT NOT NULL,
            score REAL,
            began INTEGER NOT NULL,
            ended INTEGER NOT NULL,
            given INTEGER NOT NULL,
            note TEXT
        );
        """

    // No foreign keys on the two large tables: checking them costs a search per row, and the writer has just looked
    // the parent up in the same transaction.
    private static let first = """
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
        INSERT INTO meta (key, value)
            VALUES ('window_statistics', '\(WindowStatistic.allCases.map(\.name).joined(separator: ","))');
        """
}
