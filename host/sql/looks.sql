-- looks.last
SELECT at FROM host.last_looks WHERE lane = $1 AND project = $2

-- looks.look
INSERT INTO host.last_looks (lane, project, at) VALUES ($1, $2, $3)
ON CONFLICT (lane, project) DO UPDATE SET at = GREATEST(last_looks.at, excluded.at)
