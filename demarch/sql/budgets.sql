-- budgets.spend
UPDATE kernel.runs SET used = used + $2 + $3, dispatches = dispatches + 1, updated_at = $4 WHERE id = $1 RETURNING *

-- budgets.record
INSERT INTO kernel.dispatches (run_id, ordinal, agent_type, in_tokens, out_tokens, total, at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- budgets.crossed
UPDATE kernel.runs SET warned = $2, exceeded = $3 WHERE id = $1

-- budgets.extend
UPDATE kernel.runs SET token_budget = token_budget + $2, warned = false, exceeded = false, updated_at = $3
WHERE id = $1 RETURNING *

-- budgets.curve
-- At most about a hundred points, the last one always among them.
SELECT dispatch.at, dispatch.total FROM kernel.dispatches AS dispatch
WHERE dispatch.run_id = $1 AND (
    dispatch.ordinal = $2
    OR dispatch.ordinal IN (SELECT generate_series(1, $2, GREATEST(1, $2 / 100)))
)
ORDER BY dispatch.ordinal

-- budgets.tokens
SELECT COALESCE(sum(in_tokens), 0) AS input, COALESCE(sum(out_tokens), 0) AS output
FROM kernel.dispatches WHERE run_id = $1
