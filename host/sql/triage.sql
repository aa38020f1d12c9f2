-- triage.lock
-- Whoever changes a list of discoveries does so alone: one card at a time, whoever puts it.
SELECT pg_advisory_xact_lock(hashtext('host.discoveries'))

-- triage.enrol
-- New, or told with other words than before; nothing when it is as it was or was decided.
INSERT INTO host.discoveries AS known (project, discovery, folder, subject, score, found_at, due)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT (project, discovery) DO UPDATE SET subject = excluded.subject, score = excluded.score
WHERE NOT known.decided AND known.subject IS DISTINCT FROM excluded.subject
RETURNING (xmax = 0) AS fresh, folder

-- triage.next
SELECT project, discovery, subject FROM host.discoveries
WHERE folder = $1 AND NOT decided AND due <= $2
ORDER BY score DESC, found_at, discovery LIMIT 1

-- triage.waiting
-- The list as it would be asked about, the best first.
SELECT project, discovery, subject FROM host.discoveries
WHERE folder = $1 AND NOT decided AND due <= $2
ORDER BY score DESC, found_at, discovery LIMIT $3

-- triage.counts
-- Of one group: answered since the day began, waiting now, and put off with the time of the first.
SELECT
    (SELECT count(*) FROM host.discoveries WHERE folder = $1 AND handled_at >= $3) AS handled,
    count(*) FILTER (WHERE due <= $2) AS waiting,
    count(*) FILTER (WHERE due > $2) AS later,
    min(due) FILTER (WHERE due > $2) AS next_due
FROM host.discoveries WHERE folder = $1 AND NOT decided

-- triage.decided
-- $3 is when a card of ours was answered, nothing when it was resolved elsewhere.
UPDATE host.discoveries SET decided = true, handled_at = COALESCE($3, handled_at)
WHERE project = $1 AND discovery = $2

-- triage.later
UPDATE host.discoveries SET due = $3, handled_at = COALESCE($4, handled_at)
WHERE project = $1 AND discovery = $2 AND NOT decided

-- triage.now
-- What was put off is asked about after all, so nobody has answered it today.
UPDATE host.discoveries SET due = $2, handled_at = NULL WHERE folder = $1 AND NOT decided AND due > $2

-- triage.open
-- The card that is asked at the moment.
SELECT id FROM host.approvals
WHERE kind = 'discovery' AND folder = $1 AND state IN ('pending', 'executing', 'deferred')
ORDER BY id LIMIT 1

-- triage.idle
-- Lists of which something is due and nothing is asked.
SELECT DISTINCT folder FROM host.discoveries AS found
WHERE NOT decided AND due <= $1 AND NOT EXISTS (
    SELECT FROM host.approvals
    WHERE kind = 'discovery' AND folder = found.folder AND state IN ('pending', 'executing', 'deferred'))
ORDER BY folder

-- triage.folders
SELECT DISTINCT project, folder FROM host.discoveries WHERE NOT decided ORDER BY project, folder

-- triage.move
UPDATE host.discoveries SET folder = $3 WHERE project = $1 AND folder = $2 AND NOT decided

-- triage.next_due
SELECT min(due) FROM host.discoveries WHERE NOT decided AND due > $1

-- triage.subject
SELECT subject FROM host.discoveries WHERE project = $1 AND discovery = $2

-- triage.known
SELECT discovery FROM host.discoveries WHERE project = $1 AND discovery = ANY($2::text[])
