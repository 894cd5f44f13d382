-- silver/readings: one row a reading, without repetitions, with unit, zone and flags.
--
-- input: bronze/events
-- partition: hour
--
-- Reads
--   input     messages of one hour as received: sensor, time, time_ns, event_key (0: the device sent no id), source,
--             "position", received, zone, readings (metric -> value), units (metric -> unit)
--   alarms    alarms that touch the hour: sensor, metric (NULL: the whole sensor), raised, cleared (NULL: still open)
--   limits    plausible range of each metric, as configured: metric, low, high (in the metric's unit)
-- Parameter
--   lateness_seconds    a message that was received later than this after its own time is late
-- Makes, sorted by sensor and time
--   sensor, metric
--   time              when it was measured (UTC, microseconds); time_ns the same in nanoseconds since 1970
--   value             in `unit`, as the device gave it
--   unit, zone        NULL where the device gave none
--   source            where it came from; received: when (NULL for imported files)
--   event_key         the device's own id, hashed
--   is_late           received too late to be judged with its neighbours
--   quality           '' good · 'out_of_range' outside of `limits`, or beyond 1e100
--   is_alarmed        measured during an alarm on this sensor and metric
--
-- Not taken over: messages without sensor, time or readings; values that are not finite; repetitions. Two messages are
-- the same when sensor, time and event id agree (without an id: sensor, time and the names of the metrics); the one
-- received first stays. Each of these is counted by silver/quality.sql.

WITH messages AS (
    SELECT
        sensor, "time", time_ns, source, received, "zone", event_key,
        map_keys(readings) AS metrics,
        map_values(readings) AS "values",
        -- Most messages name no unit.
        CASE WHEN cardinality(units) > 0
            THEN list_transform(map_keys(readings), lambda metric: units[metric]) END AS metric_units,
        CASE WHEN event_key = 0
            THEN (hash(map_keys(readings)) >> 1)::BIGINT ELSE event_key END AS identity
    FROM input
    WHERE sensor IS NOT NULL AND time_ns IS NOT NULL
    ORDER BY sensor, time_ns, identity, received NULLS LAST, source, "position"
),

-- After the sort a repetition stands right behind its original: an empty OVER () keeps the order of rows.
firsts AS (
    SELECT * FROM messages
    QUALIFY NOT coalesce(
        time_ns = lag(time_ns) OVER () AND identity = lag(identity) OVER () AND sensor = lag(sensor) OVER (), false)
),

readings AS (
    SELECT
        sensor, unnest(metrics) AS metric, "time", time_ns, unnest("values") AS "value", unnest(metric_units) AS unit,
        "zone", source, received, event_key,
        coalesce(received > "time" + to_seconds(getvariable('lateness_seconds')), false) AS is_late
    FROM firsts
),

-- One row a sensor, so that the join makes no reading twice.
alarm_spans AS (
    SELECT sensor, list({'metric': metric, 'raised': raised, 'cleared': cleared}) AS spans
    FROM alarms
    GROUP BY sensor
)

SELECT
    r.sensor, r.metric, r."time", r.time_ns, r."value", r.unit, r."zone", r.source, r.received, r.event_key, r.is_late,
    -- Beyond 1e100 squares of sums leave the range of doubles.
    CASE WHEN r."value" < limits.low OR r."value" > limits.high OR abs(r."value") > 1e100 THEN 'out_of_range'
        ELSE '' END AS quality,
    coalesce(len(list_filter(alarm_spans.spans, lambda span:
        (span.metric IS NULL OR span.metric = r.metric)
        AND r."time" >= span.raised AND (span.cleared IS NULL OR r."time" <= span.cleared))) > 0, false) AS is_alarmed
FROM readings AS r
LEFT JOIN limits ON limits.metric = r.metric
LEFT JOIN alarm_spans ON alarm_spans.sensor = r.sensor
WHERE isfinite(r."value")
