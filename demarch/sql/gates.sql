-- gates.facts
-- Everything any check asks about a run, in one row.
SELECT
    COALESCE((
        SELECT jsonb_object_agg(phase, n) FROM (
            SELECT phase, count(*) AS n FROM kernel.artifacts
            WHERE run_id = $1 AND status = 'active' GROUP BY phase) AS per_phase
    ), '{}'::jsonb) AS artifacts,
    (SELECT count(*) FROM kernel.agents WHERE run_id = $1 AND status = 'active') AS active_agents,
    (SELECT count(*) FROM kernel.verdicts WHERE run_id = $1 AND status = 'active') AS verdicts,
    latest.unclean, latest.findings,
    -- of a portfolio: where the children stand that are still to come
    COALESCE((
        SELECT jsonb_agg(jsonb_build_object('phase', phase, 'phases', phases)) FROM kernel.runs
        WHERE parent_id = $1 AND status NOT IN ('completed', 'cancelled')
    ), '[]'::jsonb) AS children
FROM (
    SELECT count(*) AS unclean, COALESCE(sum(findings), 0) AS findings FROM (
        SELECT DISTINCT ON (reviewer) verdict, findings FROM kernel.verdicts
        WHERE run_id = $1 AND status = 'active' ORDER BY reviewer, created_at DESC, id DESC) AS last_words
    WHERE verdict <> 'clean'
) AS latest

-- gates.decide
INSERT INTO kernel.state (key, scope, payload, updated_at) VALUES ('gate-decision', $1, $2, $3)
ON CONFLICT (key, scope) DO UPDATE SET payload = EXCLUDED.payload, updated_at = EXCLUDED.updated_at

-- gates.decision
SELECT payload FROM kernel.state WHERE key = 'gate-decision' AND scope = $1
