-- issues.insert
INSERT INTO kernel.issues (
    id, title, description, priority, issue_type, labels, assignee, external_ref, created_at, created_by, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9)
ON CONFLICT (id) DO NOTHING
RETURNING *

-- issues.get
SELECT * FROM kernel.issues WHERE id = $1

-- issues.lock_one
SELECT * FROM kernel.issues WHERE id = $1 FOR UPDATE

-- issues.lock
SELECT * FROM kernel.issues WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE

-- issues.update
-- NULL leaves a column as it is; notes are added below those that are there.
UPDATE kernel.issues SET
    status = COALESCE($2, status),
    priority = COALESCE($3, priority),
    title = COALESCE($4, title),
    description = COALESCE($5, description),
    notes = CASE WHEN $6::text IS NULL THEN notes WHEN notes = '' THEN $6 ELSE notes || E'\n' || $6 END,
    labels = COALESCE($7, labels),
    assignee = COALESCE($8, assignee),
    started_at = CASE WHEN $2 = 'in_progress' THEN COALESCE(started_at, $9) ELSE started_at END,
    closed_at = CASE WHEN $2 = 'closed' THEN $9 WHEN $2 IS NOT NULL THEN NULL ELSE closed_at END,
    close_reason = CASE WHEN $2 = 'closed' THEN $10 WHEN $2 IS NOT NULL THEN '' ELSE close_reason END,
    updated_at = $9
WHERE id = $1
RETURNING *, EXISTS (
    SELECT FROM kernel.dependencies WHERE depends_on_id = issues.id AND type = 'blocks'
) AS waited_for

-- issues.dependents
-- Locked in the order of ids, so that two that close side by side wait instead of deadlocking.
SELECT issue.id FROM kernel.issues AS issue
JOIN kernel.dependencies AS dependency ON dependency.issue_id = issue.id
WHERE dependency.depends_on_id = $1 AND dependency.type = 'blocks'
ORDER BY issue.id FOR UPDATE OF issue

-- issues.unblock
UPDATE kernel.issues SET blockers = blockers + $2 WHERE id = ANY($1::text[])
RETURNING id, title, blockers, status

-- issues.ready
-- A child waits with every ancestor that is blocked.
SELECT issue.* FROM kernel.issues AS issue
WHERE issue.status = 'open' AND issue.blockers = 0
  AND (issue.defer_until IS NULL OR issue.defer_until <= $2)
  AND issue.issue_type NOT IN ('message', 'molecule', 'gate', 'event')
  AND NOT (issue.has_parent AND EXISTS (
      WITH RECURSIVE above (id) AS (
          SELECT depends_on_id FROM kernel.dependencies WHERE issue_id = issue.id AND type = 'parent-child'
          UNION
          SELECT dependency.depends_on_id FROM kernel.dependencies AS dependency
          JOIN above ON dependency.issue_id = above.id WHERE dependency.type = 'parent-child'
      )
      SELECT FROM above JOIN kernel.issues AS parent ON parent.id = above.id
      WHERE parent.status <> 'closed' AND (parent.blockers > 0 OR parent.status IN ('blocked', 'deferred'))
  ))
ORDER BY issue.priority, issue.created_at, issue.id LIMIT $1

-- issues.waiting_for
-- For each of the issues: how many open ones it blocks.
SELECT dependency.depends_on_id AS id, count(*) AS waiting FROM kernel.dependencies AS dependency
JOIN kernel.issues AS issue ON issue.id = dependency.issue_id AND issue.status <> 'closed'
WHERE dependency.depends_on_id = ANY($1::text[]) AND dependency.type = 'blocks'
GROUP BY dependency.depends_on_id

-- issues.counts
-- How far the doors are: in progress, and open but blocked. Counted up to a hundred.
SELECT
    (SELECT count(*) FROM (
        SELECT FROM kernel.issues WHERE status = 'in_progress' LIMIT 100) AS few) AS in_progress,
    (SELECT count(*) FROM (
        SELECT FROM kernel.issues WHERE status = 'blocked' OR (status = 'open' AND blockers > 0)
        LIMIT 100) AS few) AS blocked

-- issues.list
SELECT * FROM kernel.issues WHERE status <> 'closed' ORDER BY priority, created_at, id LIMIT $1

-- issues.list_all
SELECT * FROM kernel.issues ORDER BY priority, created_at, id LIMIT $1

-- issues.list_status
SELECT * FROM kernel.issues WHERE status = $2 ORDER BY priority, created_at, id LIMIT $1

-- issues.changed
SELECT * FROM kernel.issues WHERE updated_at >= $1 ORDER BY updated_at DESC, id LIMIT $2

-- issues.search
-- By words; the id counts as one. Ranked are the first thousand that fit.
SELECT * FROM (
    SELECT * FROM kernel.issues
    WHERE (kernel.words(title, description) @@ to_tsquery('simple', $1) OR id = lower($2))
      AND CASE $3 WHEN 'all' THEN true WHEN '' THEN status <> 'closed' ELSE status = $3 END
    LIMIT 1000
) AS found
ORDER BY id = lower($2) DESC, ts_rank(kernel.words(title, description), to_tsquery('simple', $1)) DESC,
         priority, created_at, id
LIMIT $4

-- issues.search_inside
-- Slower, for parts of words: what the index of words cannot find.
SELECT * FROM kernel.issues
WHERE (title ILIKE $1 OR id ILIKE $1 OR description ILIKE $1 OR notes ILIKE $1)
  AND CASE $2 WHEN 'all' THEN true WHEN '' THEN status <> 'closed' ELSE status = $2 END
ORDER BY priority, created_at, id LIMIT $3

-- issues.dependencies
SELECT dependency.*, issue.title, issue.status FROM kernel.dependencies AS dependency
JOIN kernel.issues AS issue ON issue.id = dependency.depends_on_id
WHERE dependency.issue_id = $1 ORDER BY dependency.created_at, dependency.depends_on_id

-- issues.depend
INSERT INTO kernel.dependencies (issue_id, depends_on_id, type, created_at, created_by)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING issue_id

-- issues.undepend
DELETE FROM kernel.dependencies WHERE issue_id = $1 AND depends_on_id = $2 RETURNING type

-- issues.parent
UPDATE kernel.issues SET has_parent = EXISTS (
    SELECT FROM kernel.dependencies WHERE issue_id = $1 AND type = 'parent-child'
) WHERE id = $1

-- issues.one_at_a_time
-- Two dependencies added side by side could close a circle that neither sees.
SELECT pg_advisory_xact_lock(hashtext('kernel.dependencies'))

-- issues.leads_back
-- Whether the second issue already waits, over whatever way, for the first.
WITH RECURSIVE ahead (id) AS (
    SELECT $2::text
    UNION
    SELECT dependency.depends_on_id FROM kernel.dependencies AS dependency
    JOIN ahead ON dependency.issue_id = ahead.id WHERE dependency.type IN ('blocks', 'parent-child')
)
SELECT EXISTS (SELECT FROM ahead WHERE id = $1)
