-- reservations.decide
-- Whoever decides about project $1 does so alone.
SELECT 1 FROM intermute.projects WHERE name = $1 FOR UPDATE

-- reservations.near
-- Held by others than agent $5 in project $1 at $7, where a pattern is that may overlap: at the anchors $2, or
-- from $3 up to $4; also those that are shared if $6. $8 at most (NULL: all). The paths asked for begin with the
-- segments $9, end with $10, are of $11 segments at most (NULL: any), and the segment number $12 of each is $13
-- (NULL: none is known): what does not fit is left out.
SELECT id, agent, pattern, exclusive, reason, token, expires_at FROM intermute.reservations
WHERE project = $1 AND anchor = ANY ($2::text[])
    AND agent <> $5 AND (exclusive OR $6) AND expires_at > $7
    AND (
        most IS NULL OR most > length($9::text) - length(replace($9, '/', ''))
        OR (most = length($9) - length(replace($9, '/', '')) AND right($9, length(ending)) = ending)
    )
    AND (right(ending, length($10::text)) = $10 OR right($10, length(ending)) = ending)
UNION ALL
SELECT id, agent, pattern, exclusive, reason, token, expires_at FROM intermute.reservations
WHERE project = $1 AND anchor >= $3 AND anchor < $4 AND anchor <> ALL ($2)
    AND agent <> $5 AND (exclusive OR $6) AND expires_at > $7
    AND (
        $11::integer IS NULL OR length(anchor) - length(replace(anchor, '/', '')) < $11
        OR (length(anchor) - length(replace(anchor, '/', '')) = $11 AND right(anchor, length($10)) = $10)
    )
    AND ($12::integer IS NULL OR split_part(anchor, '/', $12) IN ($13::text, ''))
    AND (right(ending, length($10)) = $10 OR right($10, length(ending)) = ending)
LIMIT $8

-- reservations.near_in_folder
-- The same where the paths asked for are right in the folder $9: there the last segments of anchors lie, written
-- backwards, from $3 up to $4, and the anchors begin with $11.
SELECT id, agent, pattern, exclusive, reason, token, expires_at FROM intermute.reservations
WHERE project = $1 AND anchor = ANY ($2::text[])
    AND agent <> $5 AND (exclusive OR $6) AND expires_at > $7
    AND (
        most IS NULL OR most > length($9::text) - length(replace($9, '/', ''))
        OR (most = length($9) - length(replace($9, '/', '')) AND right($9, length(ending)) = ending)
    )
    AND (right(ending, length($10::text)) = $10 OR right($10, length(ending)) = ending)
UNION ALL
SELECT id, agent, pattern, exclusive, reason, token, expires_at FROM intermute.reservations
WHERE project = $1 AND folder = $9
    AND reverse(substring(anchor FROM '[^/]*/$')) >= $3 AND reverse(substring(anchor FROM '[^/]*/$')) < $4
    AND anchor <> ALL ($2) AND left(anchor, length($11::text)) = $11
    AND agent <> $5 AND (exclusive OR $6) AND expires_at > $7
    AND (right(ending, length($10)) = $10 OR right($10, length(ending)) = ending)
LIMIT $8

-- reservations.held
-- What agent $1 holds in project $2 at $3.
SELECT id, pattern, exclusive FROM intermute.reservations
WHERE holder = $1 AND project = $2 AND expires_at > $3

-- reservations.names
SELECT id, name FROM intermute.agents WHERE id = ANY ($1::text[]) AND name <> ''

-- reservations.insert
-- $1 ids, $2 patterns, $3 anchors, $4 tokens; $5 project, $6 agents, $7 exclusive, $8 reasons, $9 now, $10 ends,
-- $11 endings, $12 segments at most.
INSERT INTO intermute.reservations
    (id, pattern, anchor, token, project, agent, exclusive, reason, created_at, expires_at, ending, most)
SELECT id, pattern, anchor, token, $5, agent, exclusive, reason, $9, expires_at, ending, most
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::bigint[], $6::text[], $7::boolean[], $8::text[], $10::timestamptz[],
    $11::text[], $12::integer[]
) AS given (id, pattern, anchor, token, agent, exclusive, reason, expires_at, ending, most)
ON CONFLICT (id) DO NOTHING

-- reservations.end
-- End reservation $1 as $3.
UPDATE intermute.reservations SET released_at = $2, anchor = NULL, ended = $3
WHERE id = $1 AND released_at IS NULL
RETURNING *

-- reservations.end_held
-- End all that agent $1 holds in project $2.
UPDATE intermute.reservations SET released_at = $3, anchor = NULL, ended = $4
WHERE holder = $1 AND project = $2
RETURNING *

-- reservations.over
-- What is over in project $1 at $2, the first $3 of it: after a long night there is a lot.
SELECT id FROM intermute.reservations WHERE project = $1 AND held_until <= $2 ORDER BY held_until LIMIT $3

-- reservations.end_due
-- End these, whose time is over.
UPDATE intermute.reservations SET released_at = $2, anchor = NULL, ended = 'expired'
WHERE id = ANY ($1::text[])
RETURNING *

-- reservations.end_gone
-- End what those of the agents $4 hold in project $1 of whom nothing was heard since $3.
UPDATE intermute.reservations SET released_at = $2, anchor = NULL, ended = 'agent_gone'
WHERE project = $1 AND holder = ANY ($4::text[])
    AND EXISTS (SELECT FROM intermute.agents WHERE id = holder AND last_seen < $3)
RETURNING *

-- reservations.renew
UPDATE intermute.reservations SET expires_at = $2
WHERE id = $1 AND released_at IS NULL AND expires_at > $3
RETURNING *

-- reservations.get
SELECT r.*, COALESCE(NULLIF(a.name, ''), r.agent) AS held_by
FROM intermute.reservations AS r LEFT JOIN intermute.agents AS a ON a.id = r.agent
WHERE r.id = $1

-- reservations.some
SELECT * FROM intermute.reservations WHERE id = ANY ($1::text[])

-- reservations.of_token
SELECT * FROM intermute.reservations WHERE token = $1 AND project = $2

-- reservations.active
-- Held in project $1 at $2, the newest first, before token $3.
SELECT r.*, COALESCE(NULLIF(a.name, ''), r.agent) AS held_by
FROM intermute.reservations AS r LEFT JOIN intermute.agents AS a ON a.id = r.agent
WHERE r.held_in = $1 AND r.expires_at > $2 AND r.token < $3
ORDER BY r.token DESC LIMIT $4

-- reservations.of_agent
-- All that agent $1 holds or ever held, in project $2 (NULL: in all), the newest first, before token $3.
SELECT r.*, COALESCE(NULLIF(a.name, ''), r.agent) AS held_by
FROM intermute.reservations AS r LEFT JOIN intermute.agents AS a ON a.id = r.agent
WHERE r.agent = $1 AND ($2::text IS NULL OR r.project = $2) AND r.token < $3
ORDER BY r.token DESC LIMIT $4

-- reservations.projects_of
-- Where agent $1 holds or waits for anything.
SELECT project FROM intermute.reservations WHERE holder = $1
UNION
SELECT project FROM intermute.waiting WHERE agent = $1
ORDER BY project

-- reservations.due
-- Projects with anything over at $1, and there the agents that hold or await something though nothing was heard
-- of them since $2; of each project $3 of them at most.
WITH gone AS (
    SELECT r.project, a.id FROM intermute.reservations AS r JOIN intermute.agents AS a ON a.id = r.holder
    WHERE a.last_seen < $2
    UNION
    SELECT w.project, a.id FROM intermute.waiting AS w JOIN intermute.agents AS a ON a.id = w.agent
    WHERE a.last_seen < $2
), due AS (
    SELECT project FROM intermute.reservations WHERE held_until <= $1
    UNION
    SELECT project FROM intermute.waiting WHERE expires_at <= $1
    UNION
    SELECT project FROM gone
)
SELECT due.project, ARRAY (SELECT gone.id FROM gone WHERE gone.project = due.project LIMIT $3) AS gone
FROM due ORDER BY due.project

-- reservations.next
-- When the next one is over.
SELECT LEAST(
    (SELECT min(held_until) FROM intermute.reservations WHERE held_until IS NOT NULL),
    (SELECT min(expires_at) FROM intermute.waiting)
)

-- reservations.sweeping
-- Whether this transaction is the one that sweeps, of all replicas.
SELECT pg_try_advisory_xact_lock(hashtextextended('intermute.sweeper', 0))
