-- gold/features: statistics of each series (sensor and metric) in windows that follow one another, for training.
--
-- input: silver/readings
-- partition: hour
--
-- Reads
--   input       readings of one hour
--   anomalies   anomalies of the hour: sensor, metric (NULL: the whole sensor), time
-- Parameter
--   window_seconds    length of a window; windows start at multiples of it since 1970
-- Makes, sorted by sensor, metric and start; in the metric's unit, of good readings (quality = '') only
--   sensor, metric, start (UTC), seconds (length)
--   count, mean, minimum, maximum, range
--   standard_deviation, variance     of the sample; NULL for a single reading
--   first, last, change              by time; change = last - first
--   slope                            least squares, units a second; NULL for a single time
--   root_mean_square
--   is_late                          a reading came late
--   is_alarmed                       a reading was taken during an alarm: leave such windows out to learn what is normal
--   anomaly_count                    anomalies found in the window on this metric or on the whole sensor

WITH windows AS (
    SELECT
        sensor, metric,
        -- Rounded down, also before 1970; integers are twice as fast as time_bucket.
        time_ns - ((time_ns % (getvariable('window_seconds')::BIGINT * 1000000000))
            + getvariable('window_seconds')::BIGINT * 1000000000)
            % (getvariable('window_seconds')::BIGINT * 1000000000) AS start_ns,
        count(*) AS "count", avg("value") AS mean, min("value") AS minimum, max("value") AS maximum,
        var_samp("value") AS variance, arg_min("value", time_ns) AS "first", arg_max("value", time_ns) AS "last",
        -- Seconds since the start of the hour keep their digits.
        regr_slope("value", (time_ns % 3600000000000) / 1e9) AS slope,
        bool_or(is_late) AS is_late, bool_or(is_alarmed) AS is_alarmed
    FROM input
    WHERE quality = ''
    GROUP BY ALL
),

findings AS (
    SELECT sensor, metric,
        time_bucket(to_seconds(getvariable('window_seconds')), "time", TIMESTAMP '1970-01-01') AS start,
        count(*) AS "count"
    FROM anomalies
    GROUP BY ALL
)

SELECT
    w.sensor, w.metric, w.start, getvariable('window_seconds')::BIGINT AS seconds,
    w."count", w.mean, w.minimum, w.maximum, w.maximum - w.minimum AS "range",
    sqrt(w.variance) AS standard_deviation, w.variance, w."first", w."last", w."last" - w."first" AS change,
    CASE WHEN isfinite(w.slope) THEN w.slope END AS slope,
    sqrt(w.mean * w.mean + coalesce(w.variance * (w."count" - 1) / w."count", 0)) AS root_mean_square, w.is_late,
    w.is_alarmed,
    coalesce(own."count", 0) + coalesce(whole."count", 0) AS anomaly_count
FROM (SELECT *, make_timestamp(start_ns // 1000) AS start FROM windows) AS w
LEFT JOIN findings AS own ON own.sensor = w.sensor AND own.start = w.start AND own.metric = w.metric
LEFT JOIN (FROM findings WHERE metric IS NULL) AS whole ON whole.sensor = w.sensor AND whole.start = w.start
ORDER BY w.sensor, w.metric, w.start
