-- silver/readings: one row a reading, without repetitions, with unit, zone and flags.
--
-- input: bronze/events
-- partition: hour
--
-- Reads
--   coded     messages of one hour as received, those without sensor, time or readings left out: sensor, time, time_ns, event_key (0: the device sent no id), source,
--             "position", received (NULL for imported files), zone, spool_record (order of arrival), and its readings as
--             lists of equal length: metrics, values, metric_units (NULL: the message names no unit). Texts of few values
--             are ENUMs, in the order of the texts: sorted and written several times faster, and text again in the file
--   input     the same as it stands in bronze: readings (metric -> value), units (metric -> unit); slower
--   alarms    alarms that touch the hour: sensor, metric (NULL: the whole sensor), raised, cleared (NULL: still open)
--   limits    plausible range of each metric that occurs, as configured: metric, low, high (in the metric's unit)
-- Parameters, in microseconds
--   lateness_us    how far behind a reading may be and still enter its window
--   pane_us        what starts and ends of windows are multiples of
--   skew_us        how far a device's clock may run ahead
-- Makes, sorted by sensor and time
--   sensor, metric
--   time              when it was measured (UTC, microseconds); time_ns the same in nanoseconds since 1970
--   value             in `unit`, as the device gave it
--   unit, zone        NULL where the device gave none
--   source            where it came from; received: when (NULL for imported files)
--   event_key         the device's own id, hashed
--   is_late           received when its part of a window was over
--   quality           '' good · 'out_of_range' outside of `limits`, or beyond 1e100 · 'future' later than it was received,
--                     by more than a clock may be wrong. What is not good was refused by the engine too
--   is_alarmed        measured during an alarm on this sensor and metric
--
-- Not taken over: messages without sensor, time or readings; values that are not finite; repetitions. A sensor has one value
-- of a metric at a time: that of the message received first (of messages whose first metrics differ: of that whose first
-- metric has the lesser name). A message whose first metric is a repetition is one as a whole.
-- The same id again at another time within the hour is a repetition too, of the first message of this sensor and metric
-- that had it. Each of these is counted by silver/quality.sql.

WITH arrived AS (
    SELECT *, coalesce(epoch_us("time") - epoch_us(received) > getvariable('skew_us'), false) AS is_future
    FROM coded
    -- What was refused as future makes nothing a repetition.
    ORDER BY sensor, time_ns, metrics[1], is_future, received NULLS LAST, spool_record, source, "position"
),

-- Ids that occur more than once are few.
repeated_ids AS (SELECT event_key FROM coded WHERE event_key <> 0 GROUP BY event_key HAVING count(*) > 1),

-- The time at which such an id came first.
id_times AS (
    SELECT
        c.sensor, c.metrics[1] AS metric, c.event_key,
        arg_min(c.time_ns, (coalesce(c.received, TIMESTAMP 'infinity'), c.spool_record, c.source, c."position")) AS time_ns
    FROM coded AS c
    SEMI JOIN repeated_ids USING (event_key)
    GROUP BY ALL
    HAVING count(DISTINCT c.time_ns) > 1
),

own_ids AS (
    SELECT a.*
    FROM arrived AS a
    LEFT JOIN id_times AS i ON i.event_key = a.event_key AND i.sensor = a.sensor AND i.metric = a.metrics[1]
    WHERE i.time_ns IS NULL OR i.time_ns = a.time_ns
),

-- After the sort a repetition stands right behind its original: an empty OVER () keeps the order of rows.
firsts AS (
    SELECT * FROM own_ids
    QUALIFY NOT coalesce(
        time_ns = lag(time_ns) OVER () AND sensor = lag(sensor) OVER () AND metrics[1] = lag(metrics[1]) OVER (), false)
),

messages AS (
    SELECT
        *,
        -- Metrics of the message before it, where that has the same sensor and time: they are there already. (lead() over a
        -- stream gives rows twice in DuckDB 1.5.5, so the one behind it is not looked at.)
        CASE WHEN time_ns = lag(time_ns) OVER () AND sensor = lag(sensor) OVER () THEN lag(metrics) OVER () END AS held,
        -- The part of a window that is the first open one when the message arrives begins behind it.
        coalesce(
            epoch_us(received) - getvariable('lateness_us')
                - (epoch_us(received) - getvariable('lateness_us')) % getvariable('pane_us') > epoch_us("time"), false)
            AS is_late
    FROM firsts
),

-- One row a sensor, so that the join makes no message twice.
alarm_spans AS (
    SELECT sensor, list({'metric': metric, 'raised': raised, 'cleared': cleared}) AS spans
    FROM alarms
    GROUP BY sensor
),

readings AS (
    SELECT
        m.sensor::VARCHAR AS sensor, unnest(m.metrics) AS metric, m."time", m.time_ns, unnest(m."values") AS "value",
        unnest(m.metric_units) AS unit, m."zone", m.source, m.received, m.event_key, m.is_late, m.is_future, m.held,
        alarm_spans.spans
    FROM messages AS m
    LEFT JOIN alarm_spans ON alarm_spans.sensor = m.sensor::VARCHAR
)

SELECT
    r.sensor, r.metric, r."time", r.time_ns, r."value", r.unit, r."zone", r.source, r.received, r.event_key, r.is_late,
    CASE WHEN r.is_future THEN 'future'::ENUM ('', 'out_of_range', 'future')
        -- Beyond 1e100 squares of sums leave the range of doubles.
        WHEN r."value" < limits.low OR r."value" > limits.high OR abs(r."value") > 1e100
            THEN 'out_of_range'::ENUM ('', 'out_of_range', 'future')
        ELSE ''::ENUM ('', 'out_of_range', 'future') END AS quality,
    r.spans IS NOT NULL AND len(list_filter(r.spans, lambda span:
        (span.metric IS NULL OR span.metric = r.metric)
        AND r."time" >= span.raised AND (span.cleared IS NULL OR r."time" <= span.cleared))) > 0 AS is_alarmed
FROM readings AS r
LEFT JOIN limits ON limits.metric = r.metric
WHERE isfinite(r."value") AND (r.held IS NULL OR NOT list_contains(r.held, r.metric))
