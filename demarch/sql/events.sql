-- events.append
-- Always the last statements of a transaction: the counter stays locked until commit.
WITH counter AS (
    UPDATE kernel.counters
    SET last = last + jsonb_array_length($2::jsonb), last_at = GREATEST(last_at, $3)
    WHERE source = $1
    RETURNING last - jsonb_array_length($2::jsonb) AS before, last_at
), stored AS (
    INSERT INTO kernel.events (source, id, type, run_id, from_state, to_state, reason, envelope, at)
    SELECT $1, counter.before + event.n, event.item->>'type', event.item->>'run_id', event.item->>'from_state',
           event.item->>'to_state', event.item->>'reason', event.item->'envelope', counter.last_at
    FROM counter, jsonb_array_elements($2::jsonb) WITH ORDINALITY AS event (item, n)
    RETURNING id
)
SELECT pg_notify('kernel_events', $1 || ':' || max(id)) FROM stored

-- events.head
SELECT source, last FROM kernel.counters ORDER BY source

-- events.behind
SELECT event.*
FROM kernel.counters AS counter
LEFT JOIN unnest($1::text[], $2::bigint[]) AS mark (source, id) ON mark.source = counter.source
CROSS JOIN LATERAL (
    SELECT * FROM kernel.events
    WHERE source = counter.source AND events.id > COALESCE(mark.id, 0)
    ORDER BY events.id LIMIT $3
) AS event
ORDER BY event.seq LIMIT $3

-- events.latest
SELECT * FROM kernel.events
WHERE $2::timestamptz IS NULL OR at >= $2
ORDER BY at DESC, seq DESC LIMIT $1

-- events.latest_of_run
SELECT * FROM kernel.events
WHERE run_id = $3 AND ($2::timestamptz IS NULL OR at >= $2)
ORDER BY at DESC, seq DESC LIMIT $1
