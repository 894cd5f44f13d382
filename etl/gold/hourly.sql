-- gold/hourly: the figures of each series (sensor and metric) by hour.
--
-- input: silver/readings
-- partition: day
--
-- Reads
--   input       readings of one day
--   alarms      alarms that touch the day: sensor, metric (NULL: the whole sensor), raised, cleared
--   anomalies   anomalies of the day: sensor, metric (NULL: the whole sensor), time
-- Makes, sorted by sensor, metric and hour; figures in the metric's unit, of good readings (quality = '') only
--   sensor, metric, unit, zone
--   hour                its first moment (UTC)
--   count               good readings
--   avg, min, max       NULL where there is none
--   sum                 the volume, for metrics that are amounts
--   stddev              sample standard deviation; NULL for a single reading
--   first, last         by time
--   alert_count         alarms raised in the hour on this metric or on the whole sensor
--   anomaly_count       the same of anomalies
--   alarmed_count       readings during an alarm
--   late_count          readings that came late
--   flagged_count       readings whose quality is not good; no figure takes them in

WITH figures AS (
    SELECT
        sensor, metric,
        -- Rounded down, also before 1970; integers are faster than date_trunc.
        make_timestamp((time_ns - ((time_ns % 3600000000000) + 3600000000000) % 3600000000000) // 1000) AS "hour",
        any_value(unit) AS unit, any_value("zone") AS "zone",
        count(good) AS "count", avg(good) AS "avg", min(good) AS "min", max(good) AS "max", sum(good) AS "sum",
        stddev_samp(good) AS stddev, arg_min(good, time_ns) AS "first", arg_max(good, time_ns) AS "last",
        count_if(is_alarmed)::BIGINT AS alarmed_count,
        count_if(is_late)::BIGINT AS late_count,
        count_if(quality <> '')::BIGINT AS flagged_count
    FROM (SELECT *, CASE WHEN quality = '' THEN "value" END AS good FROM input)
    GROUP BY ALL
),

alerts AS (
    SELECT sensor, metric, date_trunc('hour', raised) AS "hour", count(*) AS "count" FROM alarms GROUP BY ALL
),

findings AS (
    SELECT sensor, metric, date_trunc('hour', "time") AS "hour", count(*) AS "count" FROM anomalies GROUP BY ALL
)

SELECT
    f.sensor, f.metric, f.unit, f."zone", f."hour",
    f."count", f."avg", f."min", f."max", f."sum", f.stddev, f."first", f."last",
    coalesce(own_alerts."count", 0) + coalesce(sensor_alerts."count", 0) AS alert_count,
    coalesce(own_findings."count", 0) + coalesce(sensor_findings."count", 0) AS anomaly_count,
    f.alarmed_count, f.late_count, f.flagged_count
FROM figures AS f
LEFT JOIN alerts AS own_alerts
    ON own_alerts.sensor = f.sensor AND own_alerts."hour" = f."hour" AND own_alerts.metric = f.metric
LEFT JOIN (FROM alerts WHERE metric IS NULL) AS sensor_alerts
    ON sensor_alerts.sensor = f.sensor AND sensor_alerts."hour" = f."hour"
LEFT JOIN findings AS own_findings
    ON own_findings.sensor = f.sensor AND own_findings."hour" = f."hour" AND own_findings.metric = f.metric
LEFT JOIN (FROM findings WHERE metric IS NULL) AS sensor_findings
    ON sensor_findings.sensor = f.sensor AND sensor_findings."hour" = f."hour"
ORDER BY f.sensor, f.metric, f."hour"
