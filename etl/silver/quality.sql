-- silver/quality: what silver/readings took over and what it refused, by rule. Not a table of the lake: its rows become
-- the run's quality report, and each rule can have a limit (greatest share of rows_in).
--
-- Reads
--   input     the messages of one hour (bronze/events)
--   output    the readings that silver/readings made of them
-- Makes
--   rule, rows
-- rows_in and rows_out must be there; a rule of your own is a further row. A rule can only have a limit when it has its row,
-- with 0, for an hour without messages too.

WITH received AS (
    SELECT
        coalesce(sum(cardinality(readings)) FILTER (is_message), 0)::BIGINT AS readings,
        -- A message without sensor, time or readings counts as one row.
        count(*) FILTER (NOT is_message) AS unparsable,
        coalesce(sum(len(list_filter(map_values(readings), lambda v: v IS NULL OR NOT isfinite(v))))
            FILTER (is_message), 0)::BIGINT AS not_finite
    FROM (
        SELECT readings, sensor IS NOT NULL AND time_ns IS NOT NULL AND coalesce(cardinality(readings), 0) > 0
            AS is_message
        FROM input
    )
),

made AS (
    SELECT
        count(*) AS readings,
        count(*) FILTER (quality = 'out_of_range') AS out_of_range,
        count(*) FILTER (quality = 'future') AS future,
        count(*) FILTER (is_late) AS late
    FROM output
)

SELECT unnest(
    [{'rule': 'rows_in', 'rows': received.readings + unparsable},
        {'rule': 'unparsable', 'rows': unparsable},
        {'rule': 'not_finite', 'rows': not_finite},
        -- What is neither refused nor there was a repetition; not finite values of repetitions count as not finite.
        {'rule': 'duplicate', 'rows': received.readings - not_finite - made.readings},
        {'rule': 'out_of_range', 'rows': out_of_range},
        {'rule': 'future', 'rows': future},
        {'rule': 'late', 'rows': late},
        {'rule': 'rows_out', 'rows': made.readings}], recursive := true)
FROM received, made
