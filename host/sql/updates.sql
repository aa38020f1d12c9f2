-- updates.unhandled
SELECT id, update_id, kind, address, body, bridge FROM host.updates
WHERE address = $1 AND handled_at IS NULL ORDER BY id LIMIT $2

-- updates.addresses
SELECT DISTINCT address FROM host.updates WHERE handled_at IS NULL LIMIT $1

-- updates.handled
-- The body goes: what was written to the host (a code, for example) is nobody's to read later.
UPDATE host.updates SET handled_at = $2, body = NULL WHERE id = $1
