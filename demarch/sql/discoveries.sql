-- discoveries.insert
INSERT INTO kernel.discoveries (
    id, source, source_id, title, summary, url, relevance_score, status, run_id, discovered_at, discovered_by
) VALUES ($1, $2, $3, $4, $5, $6, $7, 'new', $8, $9, $10)
ON CONFLICT DO NOTHING RETURNING *

-- discoveries.by_source
SELECT * FROM kernel.discoveries WHERE source = $1 AND source_id = $2

-- discoveries.get
SELECT * FROM kernel.discoveries WHERE id = $1

-- discoveries.best
SELECT * FROM kernel.discoveries WHERE status = $1
ORDER BY relevance_score DESC, discovered_at, id LIMIT $2

-- discoveries.lock
SELECT * FROM kernel.discoveries WHERE id = $1 FOR UPDATE

-- discoveries.promote
UPDATE kernel.discoveries SET status = 'promoted', bead_id = $2, promoted_at = $3, reviewed_at = $3
WHERE id = $1 RETURNING *

-- discoveries.dismiss
UPDATE kernel.discoveries SET status = 'dismissed', reviewed_at = $2 WHERE id = $1 RETURNING *

-- discoveries.list
SELECT * FROM kernel.discoveries
WHERE ($1 = '' OR status = $1) AND ($2 = '' OR source = $2)
ORDER BY discovered_at DESC, id LIMIT $3

-- discoveries.search
-- Ranked are the first thousand that fit.
SELECT * FROM (
    SELECT * FROM kernel.discoveries
    WHERE kernel.words(title, summary) @@ to_tsquery('simple', $1) AND status <> 'dismissed'
    LIMIT 1000
) AS found
ORDER BY ts_rank(kernel.words(title, summary), to_tsquery('simple', $1)) DESC,
         relevance_score DESC, discovered_at DESC, id
LIMIT $2

-- discoveries.search_inside
SELECT * FROM kernel.discoveries
WHERE (title ILIKE $1 OR summary ILIKE $1 OR url ILIKE $1) AND status <> 'dismissed'
ORDER BY relevance_score DESC, discovered_at DESC, id LIMIT $2
