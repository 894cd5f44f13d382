extension SQLiteSchema {
    /// Step 3: why an anomaly raised no alarm, alarms told in a summary, first causes, answers of people.
    static let decisions = """
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

    /// Step 4: jobs, what they found of the data, how far they and partitions have come; the models under the name that all
    /// stores use.
    static let jobs = """
        ALTER TABLE models RENAME TO model_registry;
        CREATE TABLE jobs (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            state TEXT NOT NULL,
            started INTEGER NOT NULL,
            finished INTEGER,
            progress REAL NOT NULL,
            summary TEXT NOT NULL,
            error TEXT
        );
        CREATE INDEX jobs_started ON jobs (started, id);
        CREATE INDEX jobs_name ON jobs (name, started, id);
        CREATE TABLE quality_reports (
            id TEXT NOT NULL PRIMARY KEY,
            subject TEXT NOT NULL,
            created INTEGER NOT NULL,
            range_start INTEGER NOT NULL,
            range_end INTEGER NOT NULL,
            rows_in INTEGER NOT NULL,
            rows_out INTEGER NOT NULL,
            limit_passed INTEGER NOT NULL,
            rules TEXT NOT NULL
        );
        CREATE INDEX quality_reports_created ON quality_reports (created, id);
        CREATE INDEX quality_reports_subject ON quality_reports (subject, created, id);
        CREATE TABLE checkpoints (
            name TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            created INTEGER NOT NULL,
            format TEXT NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (name, sequence)
        );
        CREATE INDEX anomalies_metric_time ON anomalies (metric, time);
        -- What an older version deleted is not known: a search looks at each of the rows that are there now.
        INSERT INTO meta (key, value)
            SELECT 'sensor_events_deleted_until', max(last_time) FROM sensor_event_runs HAVING count(*) > 0;
        """

    /// Step 5: what people do with alarms.
    static let care = """
        ALTER TABLE alarms ADD COLUMN acknowledged INTEGER;
        ALTER TABLE alarms ADD COLUMN acknowledged_by TEXT;
        ALTER TABLE alarms ADD COLUMN assignee TEXT;
        ALTER TABLE alarms ADD COLUMN shelved_until INTEGER;
        ALTER TABLE alarms ADD COLUMN out_of_service INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE alarms ADD COLUMN latched INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE alarm_actions (
            id TEXT NOT NULL PRIMARY KEY,
            alarm_id TEXT NOT NULL,
            sensor TEXT NOT NULL,
            kind TEXT NOT NULL,
            verb TEXT NOT NULL,
            person TEXT NOT NULL,
            text TEXT,
            until INTEGER,
            given INTEGER NOT NULL,
            at INTEGER NOT NULL
        );
        CREATE INDEX alarm_actions_at ON alarm_actions (at);
        CREATE INDEX alarm_actions_alarm ON alarm_actions (alarm_id, at);
        """
}
