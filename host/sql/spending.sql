-- spending.reserve
-- Again after an outage in which nobody knows whether it was stored.
INSERT INTO host.model_calls
    (id, folder, lane, turn, runtime, api, model, day, state, reserved, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'reserved', $9, $10)
ON CONFLICT (id) DO NOTHING

-- spending.settle
UPDATE host.model_calls
SET state = $2, cost = $3, input_tokens = $4, cache_read_tokens = $5, cache_write_tokens = $6, output_tokens = $7,
    settled_at = $8
WHERE id = $1

-- spending.assume
-- What an earlier run of the host left open was made, for all we know: it counts fully.
UPDATE host.model_calls SET state = 'assumed', cost = reserved, settled_at = $1 WHERE state = 'reserved'

-- spending.spent_on
-- Per group on one day. What is set aside by this very run stands in its memory.
SELECT folder, sum(cost)::bigint AS cost FROM host.model_calls
WHERE day = $1 AND state <> 'reserved'
GROUP BY folder

-- spending.days_on
SELECT folder, extended, warned_at IS NOT NULL AS warned FROM host.spend_days WHERE day = $1

-- spending.warned
-- A row comes back only the first time.
INSERT INTO host.spend_days AS known (folder, day, warned_at) VALUES ($1, $2, $3)
ON CONFLICT (folder, day) DO UPDATE SET warned_at = excluded.warned_at WHERE known.warned_at IS NULL
RETURNING folder

-- spending.stopped
INSERT INTO host.spend_days AS known (folder, day, stopped_at) VALUES ($1, $2, $3)
ON CONFLICT (folder, day) DO UPDATE SET stopped_at = excluded.stopped_at WHERE known.stopped_at IS NULL

-- spending.grant
-- Once per approval, whoever tries.
INSERT INTO host.spend_grants (approval, key, folder, day, amount, granted_by, granted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (approval) DO NOTHING
RETURNING approval

-- spending.extend
INSERT INTO host.spend_days AS known (folder, day, extended) VALUES ($1, $2, $3)
ON CONFLICT (folder, day) DO UPDATE SET extended = known.extended + excluded.extended

-- spending.granted
SELECT key, folder, day FROM host.spend_grants WHERE approval = $1

-- spending.extended
SELECT extended FROM host.spend_days WHERE folder = $1 AND day = $2

-- spending.by_day
-- Of one group or of all, from a day on. What is still under way counts as what is set aside for it.
SELECT folder, day, count(*) AS calls,
    sum(CASE WHEN state = 'reserved' THEN reserved ELSE cost END)::bigint AS cost,
    sum(CASE WHEN state = 'reserved' THEN reserved ELSE 0 END)::bigint AS reserved,
    sum(input_tokens + cache_read_tokens + cache_write_tokens)::bigint AS input,
    sum(output_tokens)::bigint AS output
FROM host.model_calls
WHERE day >= $1 AND ($2::text IS NULL OR folder = $2)
GROUP BY folder, day
ORDER BY day, folder

-- spending.by_model
SELECT folder, api, model, count(*) AS calls,
    sum(CASE WHEN state = 'reserved' THEN reserved ELSE cost END)::bigint AS cost,
    sum(input_tokens)::bigint AS input, sum(cache_read_tokens)::bigint AS cache_read,
    sum(cache_write_tokens)::bigint AS cache_write, sum(output_tokens)::bigint AS output
FROM host.model_calls
WHERE day >= $1 AND ($2::text IS NULL OR folder = $2)
GROUP BY folder, api, model
ORDER BY cost DESC, model

-- spending.by_lane
-- A session is one conversation with one agent program.
SELECT folder, lane, runtime, count(*) AS calls,
    sum(CASE WHEN state = 'reserved' THEN reserved ELSE cost END)::bigint AS cost,
    sum(input_tokens + cache_read_tokens + cache_write_tokens)::bigint AS input,
    sum(output_tokens)::bigint AS output
FROM host.model_calls
WHERE day >= $1 AND ($2::text IS NULL OR folder = $2)
GROUP BY folder, lane, runtime
ORDER BY cost DESC, lane

-- spending.curve
-- One group's day, minute by minute.
SELECT date_trunc('minute', made_at) AS minute,
    sum(CASE WHEN state = 'reserved' THEN reserved ELSE cost END)::bigint AS cost
FROM host.model_calls
WHERE folder = $1 AND day = $2
GROUP BY minute
ORDER BY minute
