internal import TocsinCore

extension SQLiteSchema {
    // Step 1. No foreign keys on the two large tables: checking them costs a search per row, and the writer has just looked
    // the parent up in the same transaction.
    static let first = """
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
