-- runs.insert
INSERT INTO kernel.runs (
    id, project_dir, goal, description, phase, phases, complexity, auto_advance, scope_id, metadata, gates,
    token_budget, budget_warn_pct, budget_enforce, created_by, created_at, updated_at, phase_at,
    portfolio, parent_id, max_dispatches
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $16, $17, $18, $19)
ON CONFLICT (id) DO NOTHING
RETURNING *

-- runs.get
SELECT * FROM kernel.runs WHERE id = $1

-- runs.lock
SELECT * FROM kernel.runs WHERE id = $1 FOR UPDATE

-- runs.current
-- The child of a portfolio is current in its own project only.
SELECT * FROM kernel.runs
WHERE status = 'active' AND CASE $1 WHEN '' THEN parent_id IS NULL ELSE project_dir = $1 END
ORDER BY created_at DESC, id LIMIT 1

-- runs.leading
-- Without the children of portfolios.
SELECT * FROM kernel.runs WHERE status = 'active' AND parent_id IS NULL ORDER BY created_at DESC, id LIMIT $1

-- runs.active
SELECT * FROM kernel.runs WHERE status = 'active' ORDER BY created_at DESC, id LIMIT $1

-- runs.all
SELECT * FROM kernel.runs ORDER BY created_at DESC, id LIMIT $1

-- runs.touched
SELECT * FROM kernel.runs WHERE id = ANY($1::text[]) OR created_at >= $2::timestamptz
ORDER BY created_at DESC, id LIMIT 200

-- runs.move
UPDATE kernel.runs SET
    phase = $2, phase_at = $4::timestamptz, status = $3, updated_at = $4::timestamptz, completed_at = CASE WHEN $3 = 'active' THEN NULL ELSE $4::timestamptz END,
    waiting = NULL, waiting_since = NULL, held = NULL
WHERE id = $1
RETURNING *

-- runs.wait
UPDATE kernel.runs SET waiting = $2, waiting_since = $3, held = COALESCE($4, held), updated_at = $3
WHERE id = $1 RETURNING *

-- runs.decided
UPDATE kernel.runs SET waiting = NULL, waiting_since = NULL, updated_at = $2 WHERE id = $1

-- runs.release
UPDATE kernel.runs SET held = NULL, waiting = NULL, waiting_since = NULL, updated_at = $2 WHERE id = $1
RETURNING *

-- runs.skip
UPDATE kernel.runs SET skipped = array_append(skipped, $2), updated_at = $3 WHERE id = $1 RETURNING *

-- runs.cancel
UPDATE kernel.runs SET
    status = 'cancelled', updated_at = $2, completed_at = $2, waiting = NULL, waiting_since = NULL
WHERE id = $1

-- runs.set
UPDATE kernel.runs SET
    complexity = COALESCE($2, complexity),
    auto_advance = COALESCE($3, auto_advance),
    force_full = COALESCE($4, force_full),
    metadata = metadata || COALESCE($5, '{}'::jsonb),
    max_dispatches = CASE WHEN $6::int IS NULL THEN max_dispatches ELSE NULLIF($6, 0) END,
    updated_at = $7
WHERE id = $1 RETURNING *

-- runs.forget_ahead
-- After a rollback what was made in the later phases counts for no gate any more.
WITH made AS (
    UPDATE kernel.artifacts SET status = 'rolled_back'
    WHERE run_id = $1 AND phase = ANY($2::text[]) AND status = 'active'
), judged AS (
    UPDATE kernel.verdicts SET status = 'rolled_back'
    WHERE run_id = $1 AND phase = ANY($2::text[]) AND status = 'active'
)
UPDATE kernel.agents SET status = 'failed', updated_at = $3 WHERE run_id = $1 AND status = 'active'

-- runs.agent_add
INSERT INTO kernel.agents (id, run_id, agent_type, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (id) DO NOTHING RETURNING id

-- runs.agent_update
UPDATE kernel.agents SET status = $2, updated_at = $3 WHERE id = $1 RETURNING *

-- runs.agents
SELECT * FROM kernel.agents WHERE run_id = $1 ORDER BY created_at LIMIT 200
