extension PostgresSchema {
    /// Step 2: what people do with alarms.
    static let care = """
        ALTER TABLE alarms ADD COLUMN acknowledged bigint, ADD COLUMN acknowledged_by text, ADD COLUMN assignee text,
            ADD COLUMN shelved_until bigint, ADD COLUMN out_of_service integer NOT NULL DEFAULT 0,
            ADD COLUMN latched integer NOT NULL DEFAULT 0;
        CREATE TABLE alarm_actions (
            id text PRIMARY KEY,
            alarm_id text NOT NULL,
            sensor text NOT NULL,
            kind text NOT NULL,
            verb text NOT NULL,
            person text NOT NULL,
            text text,
            until bigint,
            given bigint NOT NULL,
            at bigint NOT NULL
        );
        CREATE INDEX alarm_actions_at ON alarm_actions (at);
        CREATE INDEX alarm_actions_alarm ON alarm_actions (alarm_id, at);
        COMMENT ON COLUMN alarms.severity IS 'info, warning or critical';
        COMMENT ON COLUMN alarms.acknowledged IS 'progress of the stream when somebody acknowledged it, ns since 1970-01-01T00:00:00Z';
        COMMENT ON COLUMN alarms.acknowledged_by IS 'who acknowledged it';
        COMMENT ON COLUMN alarms.assignee IS 'who looks after it';
        COMMENT ON COLUMN alarms.shelved_until IS 'nobody is told until then, ns since 1970-01-01T00:00:00Z in event time';
        COMMENT ON COLUMN alarms.out_of_service IS '1 while its sensor is being worked on';
        COMMENT ON COLUMN alarms.latched IS '1 where it stays on the list until it is acknowledged';
        COMMENT ON TABLE alarm_actions IS 'What people did with alarms: the audit trail.';
        COMMENT ON COLUMN alarm_actions.id IS 'derived from alarm, verb, person, text and time: 16 hex digits';
        COMMENT ON COLUMN alarm_actions.alarm_id IS 'alarms.id; the alarm may have been deleted';
        COMMENT ON COLUMN alarm_actions.sensor IS 'name of the alarm''s sensor';
        COMMENT ON COLUMN alarm_actions.kind IS 'of the alarm';
        COMMENT ON COLUMN alarm_actions.verb IS 'acknowledge, comment, assign, shelve, unshelve, out_of_service or in_service';
        COMMENT ON COLUMN alarm_actions.person IS 'who did it';
        COMMENT ON COLUMN alarm_actions.text IS 'what the person wrote; the assignee, for assign';
        COMMENT ON COLUMN alarm_actions.until IS 'for shelve: its end in event time, ns since 1970-01-01T00:00:00Z';
        COMMENT ON COLUMN alarm_actions.given IS 'progress of the stream when it was done, ns since 1970-01-01T00:00:00Z';
        COMMENT ON COLUMN alarm_actions.at IS 'wall clock when it was done, ns since 1970-01-01T00:00:00Z';
        """
}
