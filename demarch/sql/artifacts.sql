-- artifacts.insert
INSERT INTO kernel.artifacts (id, run_id, phase, path, type, content, content_hash, created_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING RETURNING *

-- artifacts.get
SELECT * FROM kernel.artifacts WHERE id = $1

-- artifacts.of_run
SELECT id, run_id, phase, path, type, content_hash, status, created_at FROM kernel.artifacts
WHERE run_id = $1 AND ($2 = '' OR phase = $2) ORDER BY created_at, id LIMIT $3

-- artifacts.verdict
INSERT INTO kernel.verdicts (id, run_id, phase, reviewer, verdict, summary, findings, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING RETURNING *

-- artifacts.verdicts
SELECT verdict.*, run.goal FROM kernel.verdicts AS verdict JOIN kernel.runs AS run ON run.id = verdict.run_id
WHERE $1 = '' OR verdict.run_id = $1
ORDER BY verdict.created_at DESC, verdict.id LIMIT $2
