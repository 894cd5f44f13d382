extension PostgresSchema {
    // No foreign keys on the two large tables: checking them costs a search per row, and the writer has just looked the
    // parent up. Their unique keys begin with the sensor: rows are written in that order, many of one page together.
    static let firstTables = """
        CREATE TABLE sensors (
            id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL UNIQUE,
            zone text,
            first_seen bigint NOT NULL,
            last_seen bigint NOT NULL
        ) WITH (fillfactor = 50);
        CREATE TABLE series (
            id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            sensor_id integer NOT NULL REFERENCES sensors (id),
            metric text NOT NULL,
            unit text,
            UNIQUE (sensor_id, metric)
        );
        CREATE TABLE sensor_events (
            time bigint NOT NULL,
            sensor_id integer NOT NULL,
            event_key bigint NOT NULL,
            received bigint NOT NULL,
            late boolean NOT NULL,
            source text NOT NULL,
            readings json NOT NULL,
            payload bytea NOT NULL
        ) PARTITION BY RANGE (time);
        CREATE TABLE windows (
            start bigint NOT NULL,
            size bigint NOT NULL,
            slide bigint NOT NULL,
            series_id integer NOT NULL,
            score double precision,
            count double precision,
            sum double precision,
            mean double precision,
            variance double precision,
            standard_deviation double precision,
            minimum double precision,
            maximum double precision,
            range double precision,
            median double precision,
            p5 double precision,
            p25 double precision,
            p75 double precision,
            p95 double precision,
            interquartile_range double precision,
            median_absolute_deviation double precision,
            skewness double precision,
            kurtosis double precision,
            first double precision,
            last double precision,
            change double precision,
            slope double precision,
            root_mean_square double precision,
            crest_factor double precision,
            mean_absolute_change double precision,
            mean_crossing_rate double precision,
            autocorrelation double precision,
            coefficient_of_variation double precision,
            completeness double precision
        ) PARTITION BY RANGE (start);
        CREATE TABLE anomalies (
            id text PRIMARY KEY,
            alarm_id text,
            sensor_id integer NOT NULL REFERENCES sensors (id),
            metric text,
            kind text NOT NULL,
            detector text NOT NULL,
            model text NOT NULL,
            start bigint NOT NULL,
            time bigint NOT NULL,
            value double precision,
            expected_low double precision,
            expected_high double precision,
            score double precision,
            p_value double precision,
            contributions json NOT NULL,
            sentence text NOT NULL,
            note text
        );
        CREATE TABLE alarms (
            id text PRIMARY KEY,
            sensor_id integer NOT NULL REFERENCES sensors (id),
            metric text,
            kind text NOT NULL,
            state text NOT NULL,
            severity text NOT NULL,
            raised bigint NOT NULL,
            last_seen bigint NOT NULL,
            cleared bigint,
            verdicts bigint NOT NULL,
            score double precision,
            p_value double precision,
            sentence text NOT NULL,
            summary text,
            cause text
        );
        CREATE TABLE feedback (
            alarm_id text PRIMARY KEY,
            word text NOT NULL,
            recurrence text,
            sensor text NOT NULL,
            metric text,
            kind text NOT NULL,
            score double precision,
            began bigint NOT NULL,
            ended bigint NOT NULL,
            given bigint NOT NULL,
            note text
        );
        CREATE TABLE model_registry (
            name text NOT NULL,
            version bigint NOT NULL,
            origin text NOT NULL,
            created bigint NOT NULL,
            format text NOT NULL,
            summary text NOT NULL,
            data bytea NOT NULL,
            PRIMARY KEY (name, version)
        );
        CREATE TABLE dead_letters (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            reason text NOT NULL,
            detail text NOT NULL,
            source text NOT NULL,
            position bigint NOT NULL,
            received bigint NOT NULL,
            payload bytea NOT NULL,
            readings bigint NOT NULL,
            content_key bigint NOT NULL,
            UNIQUE (source, position, content_key)
        );
        CREATE TABLE jobs (
            id text PRIMARY KEY,
            name text NOT NULL,
            state text NOT NULL,
            started bigint NOT NULL,
            finished bigint,
            progress double precision NOT NULL,
            summary text NOT NULL,
            error text
        );
        CREATE TABLE quality_reports (
            id text PRIMARY KEY,
            subject text NOT NULL,
            created bigint NOT NULL,
            range_start bigint NOT NULL,
            range_end bigint NOT NULL,
            rows_in bigint NOT NULL,
            rows_out bigint NOT NULL,
            limit_passed boolean NOT NULL,
            rules text NOT NULL
        );
        CREATE TABLE checkpoints (
            name text NOT NULL,
            sequence bigint NOT NULL,
            created bigint NOT NULL,
            format text NOT NULL,
            data bytea NOT NULL,
            PRIMARY KEY (name, sequence)
        );
        """

    static let firstIndexes = """
        CREATE INDEX series_metric ON series (metric);
        CREATE UNIQUE INDEX sensor_events_key ON sensor_events (sensor_id, time, event_key);
        CREATE INDEX sensor_events_time ON sensor_events (time);
        CREATE TABLE sensor_events_other PARTITION OF sensor_events DEFAULT;
        CREATE UNIQUE INDEX windows_key ON windows (series_id, start, size, slide);
        CREATE INDEX windows_start ON windows (start);
        CREATE TABLE windows_other PARTITION OF windows DEFAULT;
        CREATE INDEX anomalies_time ON anomalies (time, id);
        CREATE INDEX anomalies_sensor_time ON anomalies (sensor_id, time, id);
        CREATE INDEX anomalies_metric_time ON anomalies (metric, time, id);
        CREATE INDEX anomalies_alarm ON anomalies (alarm_id);
        CREATE INDEX alarms_raised ON alarms (raised, id);
        CREATE INDEX alarms_sensor_raised ON alarms (sensor_id, raised, id);
        CREATE INDEX alarms_metric_raised ON alarms (metric, raised, id);
        CREATE INDEX alarms_open ON alarms (raised, id) WHERE state = 'open';
        CREATE INDEX alarms_cleared ON alarms (cleared) WHERE cleared IS NOT NULL;
        CREATE INDEX dead_letters_received ON dead_letters (received, id);
        CREATE INDEX dead_letters_reason ON dead_letters (reason, received, id);
        CREATE INDEX jobs_started ON jobs (started, id);
        CREATE INDEX jobs_name_started ON jobs (name, started, id);
        CREATE INDEX quality_reports_created ON quality_reports (created, id);
        CREATE INDEX quality_reports_subject_created ON quality_reports (subject, created, id);
        """

    static let firstViews = """
        CREATE FUNCTION tocsin_time(nanoseconds bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
            AS 'SELECT to_timestamp(nanoseconds::double precision / 1e9)';
        CREATE FUNCTION tocsin_nanoseconds(moment timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
            AS 'SELECT (extract(epoch FROM moment) * 1000000000)::bigint';
        COMMENT ON FUNCTION tocsin_time IS 'A column of nanoseconds as a time with zone, to the microsecond.';
        COMMENT ON FUNCTION tocsin_nanoseconds IS 'A time as the columns hold it: WHERE time >= tocsin_nanoseconds(now() - interval ''1 hour'') uses the index and prunes partitions.';
        CREATE VIEW readings AS
            SELECT s.name AS sensor, r.key AS metric, tocsin_time(e.time) AS time, e.time AS time_ns,
                r.value::double precision AS value, u.unit, s.zone, e.source, tocsin_time(e.received) AS received, e.late
            FROM sensor_events e JOIN sensors s ON s.id = e.sensor_id
                CROSS JOIN LATERAL json_each_text(e.readings) AS r (key, value)
                LEFT JOIN series u ON u.sensor_id = e.sensor_id AND u.metric = r.key;
        COMMENT ON VIEW readings IS 'One row a reading: for people and for reports.';
        """
}
