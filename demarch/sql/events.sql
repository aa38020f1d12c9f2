-- events.append
-- Always the last statement of a transaction: the counters it takes ids from stay locked until commit. They are
-- locked in the order of their names, so that two that end at the same time wait instead of deadlocking.
WITH told AS (
    SELECT item->>'source' AS source, n, item, row_number() OVER (PARTITION BY item->>'source' ORDER BY n) AS place
    FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS event (item, n)
), locked AS (
    SELECT source FROM kernel.counters WHERE source IN (SELECT source FROM told) ORDER BY source FOR UPDATE
), counter AS (
    UPDATE kernel.counters
    SET last = counters.last + grown.by, last_at = GREATEST(counters.last_at, $2)
    FROM (SELECT source, count(*) AS by FROM locked JOIN told USING (source) GROUP BY source) AS grown
    WHERE counters.source = grown.source
    RETURNING counters.source, counters.last - grown.by AS before, counters.last, counters.last_at
), stored AS (
    INSERT INTO kernel.events (source, id, type, run_id, from_state, to_state, reason, envelope, at)
    SELECT counter.source, counter.before + place, item->>'type', item->>'run_id', item->>'from_state',
           item->>'to_state', item->>'reason', item->'envelope', counter.last_at
    FROM told JOIN counter USING (source) ORDER BY n
)
SELECT pg_notify('kernel_events', source || ':' || last) FROM counter

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
