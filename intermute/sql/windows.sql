-- windows.owner
-- Who has the window, and whether only that one may give it away; held until the end of the transaction.
SELECT held.agent, coalesce(agents.guarded, false) AS guarded
FROM intermute.windows AS held LEFT JOIN intermute.agents ON agents.id = held.agent
WHERE held.project = $1 AND held.window_uuid = $2
FOR UPDATE OF held

-- windows.proven
-- Whether agent $1 has the token with the digest $2, in project $3 (NULL: in any).
SELECT EXISTS (
    SELECT FROM intermute.agents
    WHERE id = $1 AND ($2::bytea IS NULL OR token_hash = $2) AND ($3::text IS NULL OR project = $3)
)

-- windows.put
-- Takes the window from nobody but $8, who was asked for.
INSERT INTO intermute.windows
    (project, window_uuid, id, agent, display_name, tmux_target, created_at, last_active_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
ON CONFLICT (project, window_uuid) DO UPDATE SET
    agent = EXCLUDED.agent, display_name = EXCLUDED.display_name, tmux_target = EXCLUDED.tmux_target,
    last_active_at = EXCLUDED.last_active_at, expires_at = NULL
    WHERE windows.agent IN (EXCLUDED.agent, $8)
RETURNING *

-- windows.tidy
-- What ended long ago, and what an agent $2 has beyond the $4 it used last.
DELETE FROM intermute.windows
WHERE project = $1 AND agent = $2 AND (
    expires_at < $3
    OR id IN (
        SELECT id FROM intermute.windows WHERE project = $1 AND agent = $2
        ORDER BY last_active_at DESC, id DESC OFFSET $4
    )
)

-- windows.list
-- Those of project $1 open at $2, behind the place ($3, $4) in the list, $5 at most.
SELECT * FROM intermute.windows
WHERE project = $1 AND (expires_at IS NULL OR expires_at > $2)
    AND ($3::timestamptz IS NULL OR (last_active_at, id) < ($3, $4))
ORDER BY last_active_at DESC, id DESC LIMIT $5

-- windows.expire
UPDATE intermute.windows SET expires_at = $3
WHERE project = $1 AND window_uuid = $2 AND (expires_at IS NULL OR expires_at > $3)

-- windows.terminals
-- For each of the agents $2: what it looks at, and the terminal it was last at in project $1 at $3. The window
-- $4 goes before its owner's others.
SELECT asked.id, agents.focus_state, agents.focus_at, last.window_uuid, last.tmux_target
FROM unnest($2::text[]) AS asked (id)
LEFT JOIN intermute.agents ON agents.id = asked.id
LEFT JOIN LATERAL (
    SELECT window_uuid, tmux_target FROM intermute.windows
    WHERE project = $1 AND agent = asked.id AND tmux_target <> '' AND (expires_at IS NULL OR expires_at > $3)
    ORDER BY (window_uuid = $4) DESC, last_active_at DESC, id DESC LIMIT 1
) AS last ON true
