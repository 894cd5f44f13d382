-- gold/daily: the figures of each series (sensor and metric) by day (UTC), from those of its hours.
--
-- input: gold/hourly
-- partition: day
--
-- Reads
--   input     the hours of one day (gold/hourly)
-- Makes, sorted by sensor and metric: the columns of gold/hourly with `day` instead of `hour`, and
--   hours             hours of the day with a good reading
--   alarmed_hours     hours with a reading during an alarm

WITH centred AS (
    SELECT
        *, date_trunc('day', "hour") AS "day",
        sum("sum") OVER series / nullif(sum("count") OVER series, 0) AS day_avg
    FROM input
    WINDOW series AS (PARTITION BY sensor, metric, date_trunc('day', "hour"))
)

SELECT
    sensor, metric, max(unit) AS unit, max("zone") AS "zone", "day",
    sum("count")::BIGINT AS "count", any_value(day_avg) AS "avg", min("min") AS "min", max("max") AS "max",
    sum("sum") AS "sum",
    -- The squares within the hours and between them: Chan, Golub, LeVeque 1983, "Algorithms for computing the sample
    -- variance".
    CASE WHEN sum("count") > 1 THEN sqrt(
        sum(coalesce(("count" - 1) * stddev * stddev, 0) + coalesce("count" * ("avg" - day_avg) ** 2, 0))
        / (sum("count") - 1)) END AS stddev,
    arg_min("first", "hour") AS "first", arg_max("last", "hour") AS "last",
    count_if("count" > 0)::BIGINT AS hours,
    sum(alert_count)::BIGINT AS alert_count, sum(anomaly_count)::BIGINT AS anomaly_count,
    sum(alarmed_count)::BIGINT AS alarmed_count, count_if(alarmed_count > 0)::BIGINT AS alarmed_hours,
    sum(late_count)::BIGINT AS late_count, sum(flagged_count)::BIGINT AS flagged_count
FROM centred
GROUP BY sensor, metric, "day"
ORDER BY sensor, metric, "day"
