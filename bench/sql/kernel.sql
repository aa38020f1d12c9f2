-- kernel.issues
-- As an agency leaves them: most are closed or wait, every tenth is ready.
INSERT INTO kernel.issues (
    id, title, description, status, priority, created_at, created_by, updated_at, closed_at
)
SELECT 'iv-' || lpad(n::text, 8, '0'), 'Issue ' || n || ' about part ' || n % 97,
       repeat('What is wrong. ', 20),
       CASE WHEN n % 2 = 0 THEN 'closed' WHEN n % 11 = 0 THEN 'in_progress' ELSE 'open' END,
       n % 5, now() - n * interval '1 minute', 'bench', now(), CASE WHEN n % 2 = 0 THEN now() END
FROM generate_series(1, $1::int) AS n

-- kernel.waiting
-- Three of four open ones wait for one that is not closed, and every twentieth has a parent.
INSERT INTO kernel.dependencies (issue_id, depends_on_id, type, created_at, created_by)
SELECT 'iv-' || lpad(n::text, 8, '0'), 'iv-' || lpad((n - 2)::text, 8, '0'), 'blocks', now(), 'bench'
FROM generate_series(3, $1::int, 2) AS n WHERE n % 8 <> 1
UNION ALL
SELECT 'iv-' || lpad(n::text, 8, '0'), 'iv-' || lpad((n % 1000 * 2 + 1)::text, 8, '0'), 'parent-child',
       now(), 'bench'
FROM generate_series(2001, $1::int, 20) AS n

-- kernel.blockers
UPDATE kernel.issues SET
    blockers = (SELECT count(*) FROM kernel.dependencies WHERE issue_id = issues.id AND type = 'blocks'),
    has_parent = EXISTS (SELECT FROM kernel.dependencies WHERE issue_id = issues.id AND type = 'parent-child')
WHERE id IN (SELECT issue_id FROM kernel.dependencies)

-- kernel.runs
INSERT INTO kernel.runs (
    id, goal, phase, phase_at, phases, status, token_budget, used, created_by, created_at, updated_at
)
SELECT 'r' || lpad(n::text, 7, '0'), 'run ' || n, 'planned', now(),
       ARRAY['brainstorm', 'planned', 'executing', 'review', 'done'],
       CASE WHEN n % 20 = 0 THEN 'active' ELSE 'completed' END, 200000, n * 100, 'bench',
       now() - n * interval '1 hour', now()
FROM generate_series(1, $1::int) AS n

-- kernel.artifacts
INSERT INTO kernel.artifacts (id, run_id, phase, path, created_at, created_by)
SELECT 'a' || n, 'r' || lpad((n % 1000 + 1)::text, 7, '0'), 'planned', 'docs/plan.md', now(), 'bench'
FROM generate_series(1, $1::int) AS n

-- kernel.more_events
WITH counter AS (
    UPDATE kernel.counters SET last = last + $1::int WHERE source = 'phase' RETURNING last - $1::int AS before
)
INSERT INTO kernel.events (source, id, type, run_id, from_state, to_state, envelope, at)
SELECT 'phase', counter.before + n, 'advance', 'r' || lpad((n % 1000 + 1)::text, 7, '0'), 'planned',
       'executing', '{"actor": "bench", "key": "0123456789abcdef"}', now()
FROM counter, generate_series(1, $1::int) AS n

-- kernel.logged
SELECT last FROM kernel.counters WHERE source = 'phase'
