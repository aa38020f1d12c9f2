-- registry.groups
SELECT g.*, coalesce(array_agg(a.address ORDER BY a.address) FILTER (WHERE a.address IS NOT NULL), '{}') AS addresses
FROM host.groups g LEFT JOIN host.group_addresses a USING (folder)
GROUP BY g.folder ORDER BY g.main DESC, g.folder

-- registry.roles
SELECT r.folder, r.person, r.role, coalesce(p.name, '') AS name
FROM host.roles r LEFT JOIN host.people p USING (person) ORDER BY r.granted_at, r.person

-- registry.add_group
INSERT INTO host.groups (folder, title, main, trigger_required, writes, runtime, model, project, created_at)
VALUES ($1, coalesce(nullif($2, ''), (SELECT title FROM host.chats WHERE address = $10), ''),
    $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING RETURNING folder

-- registry.add_address
INSERT INTO host.group_addresses (address, folder) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING folder

-- registry.remove_address
DELETE FROM host.group_addresses WHERE address = $1 RETURNING folder

-- registry.forget_waiting
DELETE FROM host.messages WHERE folder = $1 AND turn IS NULL AND source <> 'aside'

-- registry.end_conversations
-- Whoever registers a folder of this name later begins anew: what was said before is not theirs to know.
INSERT INTO host.conversations (lane, id, folder, began_at)
SELECT DISTINCT ON (lane) lane, id, folder, $2 FROM host.turns WHERE folder = $1 ORDER BY lane, id DESC
ON CONFLICT (lane) DO UPDATE SET
    id = excluded.id, began_at = excluded.began_at, summary = '', summed_up = NULL

-- registry.remove_group
DELETE FROM host.groups WHERE folder = $1 RETURNING folder

-- registry.set_role
INSERT INTO host.roles (folder, person, role, granted_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (folder, person) DO UPDATE SET role = excluded.role, granted_at = excluded.granted_at
WHERE roles.role <> excluded.role

-- registry.drop_role
DELETE FROM host.roles WHERE folder = $1 AND person = $2

-- registry.set_model
UPDATE host.groups SET runtime = $2, model = $3 WHERE folder = $1 RETURNING folder

-- registry.set_project
UPDATE host.groups SET project = $2 WHERE folder = $1

-- registry.set_profile
UPDATE host.groups SET profile = $2 WHERE folder = $1

-- registry.ensure_person
INSERT INTO host.people (person, name, seen_at) VALUES ($1, $2, $3) ON CONFLICT (person) DO NOTHING

-- registry.main
SELECT folder FROM host.groups WHERE main
