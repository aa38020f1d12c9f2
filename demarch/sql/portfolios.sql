-- portfolios.children
SELECT * FROM kernel.runs WHERE parent_id = $1 ORDER BY project_dir, id

-- portfolios.lock_children
-- In the order of ids, so that two who need them wait instead of deadlocking.
SELECT * FROM kernel.runs WHERE parent_id = $1 AND status = 'active' ORDER BY id FOR UPDATE

-- portfolios.at_work
SELECT count(*) FROM kernel.agents AS agent JOIN kernel.runs AS child ON child.id = agent.run_id
WHERE child.parent_id = $1 AND agent.status = 'active'

-- portfolios.all
SELECT * FROM kernel.runs WHERE portfolio AND ($2 OR status = 'active') ORDER BY created_at DESC, id LIMIT $1

-- portfolios.widen
UPDATE kernel.runs SET max_dispatches = $2, updated_at = $3 WHERE id = $1 RETURNING *
