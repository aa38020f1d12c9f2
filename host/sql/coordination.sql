-- coordination.project
-- Where an agent of ours is known already.
SELECT project FROM intermute.agents WHERE id = $1 AND guarded

-- coordination.ours
SELECT id, name, project FROM intermute.agents WHERE starts_with(id, $1) ORDER BY id
